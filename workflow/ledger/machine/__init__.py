"""What a result depends on beside code and data: packages, processor, device."""
