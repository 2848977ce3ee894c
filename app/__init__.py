"""The rules of an order business."""
