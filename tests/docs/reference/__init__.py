"""The reference pages, made from the code: `make reference` writes docs/reference/, and a test compares.

They are committed, so that they can be read, linked to and searched in the repository, and a change of them is seen in
its diff; a site that made them as it is built would have none of this.
"""
