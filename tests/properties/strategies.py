"""Random cases: a world of `worlds`, a pool, and orders, each drawn from what is open at the tick where it falls due.

To know what is open the reference runs along; a case is the same whatever the engine under test does with it.
"""

from collections.abc import Sequence

from hypothesis import strategies as st

from kernels import codes
from tests import case as build
from tests.case import Case, Change
from tests.properties import recipes, variants, worlds
from tests.properties.worlds import World, chance, near, pick
from tests.reference.run import run_tick
from tests.reference.venue import Venue

Fields = dict[str, int]
FEW, MANY = tuple(range(1, 13)), tuple(range(1, 121))  # position ids
# An increase of a pooled position may leave its collateral or its size as it is.
NOTHING_NEW: tuple[Fields, ...] = (
    {"collateral_units": 0, "collateral_usd": -1},
    {"size_usd": 0, "leverage_bps": -1, "amount_units": -1},
)
POOL_AMOUNTS_USD = (1, 200, 3_000, 20_000)
LP_SUPPLY_E6 = (10, 50_000, 150_000, 400_000, 900_000)  # millionths of an account's balance


def trigger_fields(draw: st.DrawFn, price: int, side: int, percent: int) -> Fields:
    fields = {}
    if chance(draw, percent):
        fields["stop_loss"] = near(draw, price, side, favourable=False)
        if chance(draw, 30):
            fields["stop_limit"] = near(draw, fields["stop_loss"], side, favourable=False)
    if chance(draw, percent):
        fields["take_profit"] = near(draw, price, side, favourable=True)
    return fields


def open_fields(draw: st.DrawFn, world: World, limit: bool) -> Fields:
    market = draw(st.integers(0, len(world.markets) - 1))
    side = draw(st.sampled_from((codes.LONG, codes.SHORT)))
    free = [number for number in world.ids if number not in world.used]
    position_id = draw(st.sampled_from(world.ids if chance(draw, 5) or not free else free))
    price = world.market_price(market)
    fields = {"position_id": position_id, "market": market, "side": side, "referred": int(chance(draw, 30))}
    fields |= worlds.entry_fields(draw, world, market, side) | trigger_fields(draw, price, side, 20)
    if chance(draw, 10):
        fields["limit_price"] = near(draw, price, side, favourable=chance(draw, 70))
    if limit:
        fields["trigger_price"] = near(draw, price, side, favourable=chance(draw, 25))
        if chance(draw, world.silly_percent):
            fields["trigger_price"] = 0
        elif chance(draw, 30):
            fields["limit_price"] = near(draw, fields["trigger_price"], side, favourable=chance(draw, 10))
    status = codes.PENDING_LIMIT if limit else codes.OPEN_POSITION
    world.used.setdefault(position_id, (market, side, status, 100 * 10**6))
    return fields


def known_id(draw: st.DrawFn, world: World, status: int) -> int:
    """An id of that status, now and then any other."""
    ids = [number for number, row in world.used.items() if row[2] == status]
    if not ids or chance(draw, 2 + world.silly_percent // 4):
        return draw(st.sampled_from((*world.ids, 999)))
    return draw(st.sampled_from(ids))


def decrease_fields(draw: st.DrawFn, world: World) -> Fields:
    taken: Fields = {}
    if world.variant("partial_close") == codes.PARTIAL_REALISED and chance(draw, 30):
        taken["collateral_usd"] = pick(draw, 1, 5, 20, 200, 0) * 10**6
    if chance(draw, 30):
        return taken | {"size_usd": pick(draw, 300, 5, 40, 5_000, 0) * 10**6}
    return taken | {
        "fraction_e6": pick(draw, 500_000, 250_000, 100_001, 10_000, 333_333, 900_000, 999_999, 10**6, 9_999)
    }


def deposit_fields(draw: st.DrawFn, world: World, custody: int) -> Fields:
    if chance(draw, world.silly_percent):
        return {"collateral_units": pick(draw, 0, worlds.LARGEST_UNITS // 64)}
    dollars = pick(draw, 10, 1, 100, 2_000)
    if chance(draw, 40):
        return {"collateral_usd": dollars * 10**6}
    return {"collateral_units": world.units(custody, dollars)}


def position_fields(draw: st.DrawFn, world: World, action: int) -> Fields:
    """Orders on a position: mostly one that should be open."""
    position_id = known_id(draw, world, codes.OPEN_POSITION)
    market, side, _, collateral_usd = world.used.get(position_id, (0, codes.LONG, 0, 10**8))
    price = world.market_price(market)
    fields = {"position_id": position_id}
    if action == codes.INCREASE:
        fields |= worlds.entry_fields(draw, world, market, side)
        if world.variant("margin") == codes.MARGIN_POOLED and chance(draw, 25):
            fields |= draw(st.sampled_from(NOTHING_NEW))
    elif action == codes.DECREASE:
        fields |= decrease_fields(draw, world)
    elif action == codes.DEPOSIT_COLLATERAL:
        fields |= deposit_fields(draw, world, world.collateral_custody(market, side))
    elif action == codes.WITHDRAW_COLLATERAL:
        fields["collateral_usd"] = collateral_usd * pick(draw, 5, 1, 20, 60, 95, 99, 100, 0) // 100 + pick(draw, 0, 1)
    elif action == codes.SET_TRIGGERS:
        fields |= trigger_fields(draw, price, side, 60)
        if chance(draw, 15):
            fields[draw(st.sampled_from(("stop_loss", "take_profit")))] = 0
    if action in (codes.INCREASE, codes.DECREASE, codes.CLOSE) and chance(draw, 10):
        fields["limit_price"] = near(draw, price, side, favourable=chance(draw, 50))
    return fields


def flow_fields(draw: st.DrawFn, world: World, venue: Venue, action: int) -> Fields:
    """Liquidity and swaps; account 0 holds the liquidity of genesis."""
    last = len(world.custodies) - 1
    custody, account = draw(st.integers(0, last)), pick(draw, 0, 0, 1, 2)
    fields = {"custody": custody, "lp_account": account}
    fields["amount_units"] = world.units(custody, pick(draw, *POOL_AMOUNTS_USD))
    if action == codes.ADD_LIQUIDITY:
        world.depositors.append(account)
    if action == codes.REMOVE_LIQUIDITY:
        if world.depositors and chance(draw, 80):
            fields["lp_account"] = account = world.depositors[-1]
        held = venue.accounts[account].balance if account in venue.accounts else 0
        fields["amount_units"] = max(held * pick(draw, *LP_SUPPLY_E6) // 10**6, 900_000)
    if action == codes.REDEEM_DOLLARS:
        fields |= {"amount_units": -1, "size_usd": pick(draw, 150, 3, 4_000, 30_000, 0) * 10**6}
    if action == codes.ACCRUE:
        return {"custody": custody}
    if action == codes.SWAP:
        fields |= {"custody_out": (custody + 1) % (last + 1), "lp_account": 0}
        if chance(draw, world.silly_percent):
            fields["custody_out"] = custody
    if chance(draw, world.silly_percent):
        fields["amount_units"] = pick(draw, 0, 1, worlds.LARGEST_UNITS // 64)
    return fields


def order_fields(draw: st.DrawFn, world: World, venue: Venue, action: int) -> Fields:
    if action in (codes.OPEN, codes.LIMIT_OPEN):
        return open_fields(draw, world, limit=action == codes.LIMIT_OPEN)
    if action == codes.CANCEL_LIMIT:
        return {"position_id": known_id(draw, world, codes.PENDING_LIMIT)}
    if action == codes.DISTRIBUTE_FEES:
        return {"custody": draw(st.integers(-1, len(world.custodies) - 1))}
    if action >= codes.FIRST_POOL_ACTION:
        return flow_fields(draw, world, venue, action)
    return position_fields(draw, world, action)


def draw_orders(draw: st.DrawFn, world: World, case: Case) -> None:
    """Fill `case.orders`: none to four due at each tick, a few only after the last one."""
    venue, late_us = Venue(case), world.ticks[-1][0] + 1
    for number, (time_us, _, _) in enumerate(world.ticks):
        world.tick, world.depositors = number, []
        world.used = {r.position_id: (r.market, r.side, r.status, r.collateral_usd) for r in venue.rows}
        few = len(world.ids) // 4
        due: list[Fields] = []
        eager = len(world.used) < few  # an emptied book is filled again
        for _ in range(pick(draw, 0, 1, 2, 4) if number else 3 * few):
            action = draw(st.sampled_from((codes.OPEN, *worlds.ACTIONS[:16]) if eager else world.actions))
            if world.depositors and chance(draw, 40):
                action = codes.REMOVE_LIQUIDITY
            fields = order_fields(draw, world, venue, action)
            due_us = late_us if chance(draw, 2) else time_us - pick(draw, 0, 0, 0, 1, 999_999)
            due.append(build.order(due_us=due_us, order_id=len(case.orders) + len(due), action=action, **fields))
        case.orders += due
        run_tick(venue, number, [order for order in due if order["due_us"] <= time_us])
    case.orders.sort(key=lambda order: (order["due_us"], order["order_id"]))


@st.composite
def drawn_worlds(draw: st.DrawFn) -> World:
    """Two or three custodies, one or two markets: SOL on jitoSOL, BONK on itself, gold on the stable alone."""
    with_bonk = chance(draw, 50)
    custodies = [draw(worlds.custody_params(worlds.JITOSOL, 9, 0, (25, 0, 100)))]
    if with_bonk:
        custodies.append(draw(worlds.custody_params(worlds.BONK, 5, 0, (25, 100))))
    stable = len(custodies)
    custodies.append(draw(worlds.custody_params(worlds.USDC, 6, 1, (0, 10))))
    second = {
        "none": [],
        "gold": [(worlds.GOLD, stable, stable)],
        "same custody": [(worlds.SOL, 0, stable)],
        "bonk": [(worlds.BONK, 1, stable)] if with_bonk else [],
    }
    backing = [(worlds.SOL, 0, stable), *draw(st.sampled_from(list(second.values())))]
    markets = [draw(worlds.market_params(*key)) for key in backing]
    for number, params in enumerate(custodies):
        users = sum(market["long_custody"] == number for market in markets)
        params["interest_in_pnl"] = int(users == 1 and not params["stable"] and chance(draw, 50))
    return World(custodies, markets, draw(worlds.price_paths()), silly_percent=pick(draw, 0, 8, 30))


@st.composite
def spine_cases(draw: st.DrawFn, crowded: bool = False) -> Case:
    """The first variant of every mechanism, with what they have always been mixed with."""
    world = draw(drawn_worlds())
    return draw(settled(world, draw(worlds.pools(len(world.custodies) - 1)), crowded))


@st.composite
def mixed_cases(draw: st.DrawFn, crowded: bool = False) -> Case:
    """Any variant of any mechanism with any other that it can be mixed with."""
    pool = draw(variants.pools())
    return draw(settled(draw(variants.drawn_worlds(pool)), pool, crowded))


@st.composite
def recipe_cases(draw: st.DrawFn, name: str, crowded: bool = False) -> Case:
    """The mechanisms of one protocol (a key of `recipes.RECIPES`), with numbers of all kinds."""
    pool = draw(recipes.pools(name))
    return draw(settled(draw(variants.drawn_worlds(pool, **recipes.WORLDS[name])), pool, crowded))


@st.composite
def cases(draw: st.DrawFn, crowded: bool = False) -> Case:
    """One whole small backtest; a crowded one holds dozens of positions in a book.

    Three in ten are spines, four mixes, three recipes.
    """
    kind = draw(st.integers(0, 9))
    if kind < 3:
        return draw(spine_cases(crowded))
    if kind < 7:
        return draw(mixed_cases(crowded))
    return draw(recipe_cases(draw(st.sampled_from(sorted(recipes.RECIPES))), crowded))


@st.composite
def settled(draw: st.DrawFn, world: World, pool: Fields, crowded: bool = False, changes: Sequence[Change] = ()) -> Case:
    """A world with its pool, filled and traded in, under other rules from each of the changes on."""
    world.pool, world.ids = pool, MANY if crowded else FEW
    scale = 4_000_000 if crowded else pick(draw, 60_000, 20_000, 300_000, 5_000)
    genesis = [] if chance(draw, 4) else [world.units(custody, scale) for custody in range(len(world.custodies))]
    case = Case(world.custodies, world.markets, pool, world.ticks, genesis=genesis, changes=list(changes))
    draw_orders(draw, world, case)
    return case
