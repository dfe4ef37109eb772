"""Tests, laid out as the house is: unit and laws without a network, stores, local servers, the mesh, the README."""
