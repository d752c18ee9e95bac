//! Moves audio and control between the media and orchestrator roles.
