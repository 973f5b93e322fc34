"""What every output column means: one line `field: meaning` per field of each record in `kernels.state`, in order."""

DOCS: dict[str, str] = {
    "events": """
seq: number of the event, from 0, without gaps
timestamp: tick at which it happened
kind: what happened (kernels.codes.KINDS)
order_id: order that caused it; null: the venue itself
position_id: the trader's name for the position
position_no: number of the opening, unique in the run
market: market of the position
side: long or short
custody: the one token that this row moves
price: trade price of the market
custody_price: price of the custody's token
size_usd: change of the position's notional, signed
collateral_usd: change of the position's margin, signed
trader_in_units: tokens from trader or LP to the venue
trader_out_units: tokens from the venue to trader or LP
fees_out_units: tokens paid out to fee beneficiaries and liquidators
owned_units: change of the tokens the pool owns, signed
collateral_units: change of the traders' collateral tokens, signed
locked_units: change of the locked tokens, signed
pnl_usd: realised price PnL before fees; + the trader wins
exit_fee_usd: closing or liquidation fee collected
borrow_fee_usd: borrow interest split among beneficiaries on this row
prepaid_borrow_usd: borrow interest that was split by an earlier resolve_borrow (there: the negative)
funding_usd: funding settled; + the trader pays
lp_fee_usd: fee on liquidity added or removed, internal dollars issued or redeemed, and swaps
lp_share_usd: part of the row's fees that is the LPs', in the pool or (booked in a reserve) paid beside it
protocol_share_usd: part of the row's fees owed to the protocol
referrer_share_usd: part of the row's fees owed to the referrer
bad_debt_usd: loss beyond margin and fees, borne by the LPs
deficit_fee_usd: fees that the margin could not cover
confiscated_usd: margin left after a liquidation, or a reward taken out of a payout, that the trader does not get
payout_usd: dollars paid to the trader or LP
spread_usd: gain of the pool from rounding and from the oracle's bounds
drift_usd: collateral tokens at today's price less their booked dollars, realised
owned_value_usd: value of owned_units, signed
lp_flow_usd: LP deposits (+) and withdrawals (-)
debt_paid_usd: fee debt settled by a distribution
lp_units: LP tokens minted (+) or burnt (-)
lp_account: LP account of the flow
open_fee_usd: fee on notional added
liquidator_usd: reward of the liquidator, paid out of the pool's tokens
margin_usd: change of the margin that lies inside the pool's tokens (pooled margin of longs), signed
reserved_fee_usd: fees put into the fee reserve (+), or from there into the pool (-)
fee_units: change of the fee reserve's tokens, signed
stranded_units: change of the tokens that no book counts, signed
change: number of the dated change of parameters; null: another kind of event
""",
    "positions": """
position_no: number of the opening, unique in the run
position_id: the trader's name for the position
market: market of the position
side: long or short
custody: token of collateral and lock
open_order_id: order that opened it
opened_at: tick of the opening
closed_at: tick of the end; null while open
outcome: how it ended (kernels.codes.OUTCOMES)
open_price: price of the first fill
entry_price: average entry price after increases
close_price: price of the last exit; null while open
initial_leverage_bps: leverage at the opening
opened_size_usd: sum of all increases of notional
closed_size_usd: sum of all reductions of notional
size_usd: notional still open at the end of the run
deposited_usd: sum of all margin paid in
withdrawn_usd: sum of separate margin withdrawn while open; of pooled margin it is in payout_usd alone
collateral_usd: margin still held at the end of the run
payout_usd: dollars paid out on exits and withdrawals
pnl_usd: realised price PnL before fees; + the trader wins
exit_fee_usd: closing and liquidation fees collected
borrow_fee_usd: borrow interest collected, prepaid included
funding_usd: funding settled; + the trader paid
bad_debt_usd: loss beyond margin and fees, borne by the LPs
max_locked_units: largest lock held
open_fee_usd: fees on notional added
confiscated_usd: margin left after a liquidation, and rewards, that the trader did not get
""",
    "pool": """
timestamp: tick of the sample
custody: token
price: price of the token
owned_units: tokens that the pool owns
locked_units: owned tokens reserved for open positions
collateral_units: tokens of the traders' margin
value_usd: value of the owned tokens at low_price
borrow_rate: borrow rate in force (stepwise curve: per interval, not per hour)
borrow_index: cumulative borrow rate
fee_units: tokens of the fee reserve
stranded_units: tokens that no book counts
dollars_usd: internal dollars issued against the token
low_price: price at which the pool's value counts the token
""",
    "markets": """
timestamp: tick of the sample
market: market
price: trade price
long_oi_usd: notional of open longs
short_oi_usd: notional of open shorts
long_positions: number of open longs
short_positions: number of open shorts
long_locked_units: tokens locked for longs, units of the market's long custody
short_locked_units: tokens locked for shorts, units of the market's short custody
long_pnl_usd: collective unrealised price PnL of longs; + traders win
short_pnl_usd: collective unrealised price PnL of shorts; + traders win
funding_rate: funding rate in force; + longs pay
funding_index: cumulative funding rate; + longs pay
""",
    "lp": """
timestamp: tick of the sample
aum_usd: value of the pool to its LPs
lp_supply: LP tokens in existence
lp_price: aum_usd per LP token
assets_usd: value of all owned tokens at the low price
fees_debt_usd: fees owed to protocol and referrers out of the pool's tokens
accrued_borrow_usd: borrow interest owed by open positions, level
accrued_exit_fee_usd: exit fees of open positions, level
accrued_funding_usd: funding owed by open positions, level
unrealised_pnl_usd: price PnL of open positions; + traders win, level
collateral_drift_usd: collateral tokens at today's price less their booked dollars, level
lp_flow_usd: LP deposits less withdrawals, since the start
exit_fee_usd: exit fees realised and accrued, since the start
borrow_fee_usd: borrow interest realised and accrued, since the start
lp_fee_usd: fees on LP flows, since the start
funding_usd: funding realised and accrued, since the start
to_others_usd: fees that are not the pool's, since the start: protocol's and referrers', or all that a reserve keeps
trader_pnl_usd: traders' price PnL realised and unrealised, since the start; + traders win
asset_drift_usd: price changes of owned tokens and of collateral, since the start
bad_debt_usd: bad debt, since the start
confiscated_usd: confiscated margin, since the start
spread_usd: rounding and oracle bounds on events, since the start
rounding_usd: what is left of aum_usd: rounding, and what a floor at zero cuts off
open_fee_usd: fees on notional added, since the start
liquidator_usd: rewards of liquidators, since the start
margin_usd: traders' margin inside the pool's tokens, level
""",
    "rejections": """
timestamp: time of the refusal, or of the end of the run
order_id: order that was not executed
position_id: position that it named
action: what it asked for (kernels.codes.ACTIONS)
reason: why not (kernels.codes.REASONS)
outcome: rejected, or pending at the end of the run
""",
    "book": """
snapshot_at: tick after which the position stood so
market: market of the position
side: long or short
position_no: number of the opening, unique in the run
position_id: the trader's name for the position
custody: token of collateral and lock
opened_at: tick of the opening
price: price at which the position would close
entry_price: average entry price after increases
size_usd: notional
collateral_usd: margin held
pnl_usd: price PnL before fees that a close would realise, profit cap included; + the trader wins
exit_fee_usd: fee of a close
borrow_fee_usd: borrow interest owed, prepaid included
funding_usd: funding owed; + the trader pays
equity_usd: collateral and PnL less all three; below zero a close would leave that much unpaid
leverage_bps: size_usd over equity_usd; null when nothing is left
liquidation_price: first price at which the position is liquidated, all else as it is; null: no price
stop_loss: stop-loss; null: none
take_profit: take-profit; null: none
locked_units: owned tokens reserved for the position
""",
}
