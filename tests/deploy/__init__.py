"""How KubeMin is installed: the image, the chart, the kustomize base, the systemd units."""
