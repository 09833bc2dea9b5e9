"""Custom resources: what a CustomResourceDefinition's schema makes of the objects of its kind."""
