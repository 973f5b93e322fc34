"""What does this tick trigger? Descend the bound tree, test the few slots it reaches exactly, sort them by age."""

from kernels import codes, limits, triggers
from kernels._jit import inner
from kernels.liquidation import guard_price, is_liquidatable
from kernels.pricing import entry_price, exit_price
from kernels.rates import collateral_custody
from kernels.settle import T_LIMIT, T_LIQUIDATION, T_STOP_LOSS, T_TAKE_PROFIT, trigger_key
from kernels.state import FAN_OUT


@inner()
def _stop_reached(row, side, price):
    """Stop-loss price touched, and the worst price the trader accepts for it not yet passed."""
    if row.stop_loss <= 0:
        return False
    if side == codes.LONG:
        return price <= row.stop_loss and (row.stop_limit <= 0 or price >= row.stop_limit)
    return price >= row.stop_loss and (row.stop_limit <= 0 or price <= row.stop_limit)


@inner()
def _target_reached(row, side, price):
    if row.take_profit <= 0:
        return False
    return price >= row.take_profit if side == codes.LONG else price <= row.take_profit


@inner()
def _limit_reached(row, side, price):
    """Trigger touched, and the far end of the order's band (Adrena's limit price) not passed."""
    if side == codes.LONG:
        return price <= row.trigger_price and (row.limit_price <= 0 or price >= row.limit_price)
    return price >= row.trigger_price and (row.limit_price <= 0 or price <= row.limit_price)


@inner()
def _push(work, cursor, kind, b, number, slot):
    work.key[cursor.n_candidates] = trigger_key(kind, b, number)
    work.slot[cursor.n_candidates] = slot
    cursor.n_candidates += 1


@inner()
def inspect_slot(venue, books, work, cursor, b, slot):
    """Apply the exact rules to one slot and note what fires."""
    row = books.row[slot]
    side = b & 1
    market = venue.market[b >> 1]
    pool = venue.pool[0]
    found = cursor.n_candidates
    if row.status == codes.PENDING_LIMIT:
        if _limit_reached(row, side, entry_price(market, side)):
            _push(work, cursor, T_LIMIT, b, row.position_no, slot)
    elif row.status == codes.OPEN_POSITION:
        custody = venue.custody[collateral_custody(market, side)]
        if is_liquidatable(pool, row, side, market, custody):
            _push(work, cursor, T_LIQUIDATION, b, row.position_no, slot)
        elif not limits.too_young(row, pool):
            price = exit_price(market, side)
            if _stop_reached(row, side, price):
                _push(work, cursor, T_STOP_LOSS, b, row.position_no, slot)
            if _target_reached(row, side, price):
                _push(work, cursor, T_TAKE_PROFIT, b, row.position_no, slot)
    if cursor.n_candidates > found:
        books.watch[slot].leaving = 1


@inner()
def _inspect_block(venue, books, work, cursor, b, block, p, x):
    start = books.book[b].base + block * FAN_OUT
    for slot in range(start, start + FAN_OUT):
        watch = books.watch[slot]
        touched = p <= watch.threshold + watch.slope * x or p <= watch.stop or -p <= watch.take
        if touched and watch.leaving == 0:
            inspect_slot(venue, books, work, cursor, b, slot)


@inner()
def descend(venue, books, work, cursor, b, p):
    """Visit every touched block of book b at mirrored price p, refreshing bounds on the way up."""
    x = books.book[b].x
    top = books.book[b].levels - 1
    if not triggers.is_touched(books.node[books.level[b, top, 0]], p, x):
        return
    level = top
    work.path[level, 0] = 0
    work.path[level, 1] = 0
    while level <= top:
        index = work.path[level, 0]
        if level == 0:
            _inspect_block(venue, books, work, cursor, b, index, p, x)
            triggers.refresh_block(books, b, index)
            level += 1
            continue
        start = books.level[b, level - 1, 0]
        last = min(books.level[b, level - 1, 1], (index + 1) * FAN_OUT)
        child = work.path[level, 1]
        while child < last and not triggers.is_touched(books.node[start + child], p, x):
            child += 1
        if child < last:
            work.path[level, 1] = child + 1
            level -= 1
            work.path[level, 0] = child
            work.path[level, 1] = child * FAN_OUT
        else:
            triggers.refresh_node(books, b, level, index)
            level += 1


@inner()
def scan_capped(venue, books, work, cursor, b):
    """The custody's price has fallen so far that capped profits may not save a position: look at every one."""
    market = venue.market[b >> 1]
    custody = venue.custody[collateral_custody(market, b & 1)]
    book = books.book[b]
    guard = 0
    for slot in range(book.base, book.base + book.capacity):
        if books.row[slot].status == codes.OPEN_POSITION and books.watch[slot].leaving == 0:
            inspect_slot(venue, books, work, cursor, b, slot)
            guard = max(guard, guard_price(venue.pool[0], books.row[slot], custody, market))
    book.guard_price = guard


@inner()
def _sift(work, root, n):
    """Restore the heap below `root` in the first n entries."""
    while True:
        child = 2 * root + 1
        if child >= n:
            return
        if child + 1 < n and work.key[child + 1] > work.key[child]:
            child += 1
        if work.key[root] >= work.key[child]:
            return
        _swap(work, root, child)
        root = child


@inner()
def _swap(work, i, j):
    work.key[i], work.key[j] = work.key[j], work.key[i]
    work.slot[i], work.slot[j] = work.slot[j], work.slot[i]


@inner()
def sort_triggers(work, n):
    """Heap sort by key; a crash may trigger a whole book at once, and keys never tie."""
    for root in range(n // 2 - 1, -1, -1):
        _sift(work, root, n)
    for last in range(n - 1, 0, -1):
        _swap(work, 0, last)
        _sift(work, 0, last)
