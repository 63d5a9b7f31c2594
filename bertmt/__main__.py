"""`python -m bertmt` is `bertmt`."""

from bertmt.cli.main import main

if __name__ == "__main__":
    main()
