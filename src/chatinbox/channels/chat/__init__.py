"""The chat channel: a visitor writes in the box on a business's website."""
