"""One module per stage of the chain: read the inputs, call the science, write the outputs."""
