"""In-process generation over transformers models: slots, sampling and one thread per loaded model."""
