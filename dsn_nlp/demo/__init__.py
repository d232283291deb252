"""Half a year of invented nights, so that a newcomer sees every page alive."""
