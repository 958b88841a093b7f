"""The judges of `gigmate eval`: classical measures of a part's beat, harmony, style and sound."""
