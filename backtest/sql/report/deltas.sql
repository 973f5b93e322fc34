-- deltas: per period and asset, the LPs' exposure as a share of AUM.
SELECT run, asset AS series, timestamp, share_of_aum AS value FROM ({delta})
