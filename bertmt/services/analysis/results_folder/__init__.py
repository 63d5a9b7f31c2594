"""What runs measured as a folder for other programs: tables in CSV or Parquet, or events for TensorBoard."""
