"""An experiment manager for multitask BERT, after Lee, Hsu and Kaur (CS224N 2024)."""

__version__ = "0.1.0"
