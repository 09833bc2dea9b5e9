"""``python -m kubemin`` is the command line."""

from kubemin.cli import main

if __name__ == "__main__":
    main()
