"""What the house and the lifecycle promise, read off the code itself."""
