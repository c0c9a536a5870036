"""What serves models: the engine in this process, remote endpoints, scripts; and the pool that holds them."""
