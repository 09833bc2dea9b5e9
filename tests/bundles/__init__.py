"""Ten bundles of manifests as the big charts render them: deployed, cancelled, changed, killed."""
