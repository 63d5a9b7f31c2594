"""What several seeds of two recipes say beyond their means."""
