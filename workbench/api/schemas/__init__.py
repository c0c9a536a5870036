"""What goes over the wire: pydantic models of request bodies and answers, in OpenAI's shapes."""
