"""Training: windows of the motion library, losses, and the resumable loop."""
