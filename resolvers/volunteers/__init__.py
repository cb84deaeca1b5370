"""What volunteers do: claim tasks (`claims`, `picking`), hold them (`leases`) and report what they computed (`reports`,
or `unleased_results` for clients that claim nothing)."""
