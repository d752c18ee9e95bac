//! Development only: the scenario language, scripted providers, real test speech.
