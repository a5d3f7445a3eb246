"""What is counted, besides the spans? Names and attributes are in `tracing.conventions.metrics`.

Counted is what really happened, once: attempts and what ended inside them (sampled or not), and steps and runs when
their span is released, which is when their workflow task is known to be committed. A replay counts nothing but itself.
"""
