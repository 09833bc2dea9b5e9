"""What a user writes, and the words that every room shares. Pure: imports nothing else of KubeMin."""
