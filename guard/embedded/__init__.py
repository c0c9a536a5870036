"""The guard that works on a fresh machine: a small classifier whose weights lie in `assets/guard`.

Covered: P(unsafe) of English prompts, and of answers read beside their prompts, with a score for each of S1..S14.
Not covered: other languages, pictures, facts, the policy of any one product. It screens; it is not Llama Guard.
"""

from guard.embedded.classifier import EmbeddedClassifier, EmbeddedScore

__all__ = ["EmbeddedClassifier", "EmbeddedScore"]
