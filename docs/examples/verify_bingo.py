"""Checks a proof file of bingo, by docs/rules/bingo.md alone: python3 verify_bingo.py FILE [SEAT]

Deals all tickets again from the seed, draws all balls again, and compares both with the file. Prints what to compare with what
the show published, and the tickets of SEAT. Exits with 1 if something in the file is not what follows from its seed."""
import bisect, functools, hashlib, itertools, json, math, struct, sys


class Refused(Exception):
    """The file is no proof file."""


def sha256(data): return hashlib.sha256(data).digest()


class Draws:
    """Uniform random numbers for one purpose."""

    def __init__(self, prefix): self.prefix, self.blocks, self.rest = prefix, 0, b""

    def take(self, count):
        while len(self.rest) < count:
            self.rest += sha256(self.prefix + struct.pack(">I", self.blocks))
            self.blocks += 1
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def below(self, bound):
        bits = (bound - 1).bit_length()
        while True:
            number = int.from_bytes(self.take((bits + 7) // 8), "big") & ((1 << bits) - 1)
            if number < bound: return number


def arranged(number, items, count):
    """The arrangement of `count` of the items with this number."""
    items, chosen = list(items), []
    for _ in range(count):
        number, place = divmod(number, len(items))
        chosen.append(items[place])
        items[place] = items[-1]
        items.pop()
    return chosen


# 75 balls.

def ticket75(draws):
    columns = []
    for column in range(5):
        count = 4 if column == 2 else 5
        numbers = arranged(draws.below(math.perm(15, count)), range(15 * column + 1, 15 * column + 16), count)
        if column == 2: numbers.insert(2, 0)
        columns.append(numbers)
    return tuple(tuple(column[row] for column in columns) for row in range(5))


# 90 balls, single tickets.

SIZES = (9, 10, 10, 10, 10, 10, 10, 10, 11)
COLUMNS = [list(range(max(1, 10 * column), max(1, 10 * column) + size)) for column, size in enumerate(SIZES)]
ROWS = {1: ((0,), (1,), (2,)), 2: ((1, 2), (0, 2), (0, 1)), 3: ((0, 1, 2),)}
SHAPES = [counts for counts in itertools.product((1, 2, 3), repeat=9) if sum(counts) == 15]
SUBSETS = {(size, count): list(itertools.combinations(range(size), count)) for size in (9, 10, 11) for count in (1, 2, 3)}


@functools.lru_cache(None)
def fillings(counts, room):
    """In how many ways columns with these counts fill rows that have this much room."""
    if not counts: return int(room == (0, 0, 0))
    return sum(fillings(counts[1:], left) for _, left in fitting(counts[0], room))


@functools.lru_cache(None)
def fitting(count, room):
    fits = [(rows, tuple(room[row] - (row in rows) for row in range(3))) for rows in ROWS[count]]
    return [(rows, left) for rows, left in fits if min(left) >= 0]


def layouts(counts):
    # The order of the columns makes no difference to the count.
    return fillings(tuple(sorted(counts)), (5, 5, 5))


def layout(counts, number):
    """The rows of each column in the layout with this number."""
    room, chosen = (5, 5, 5), []
    for place, count in enumerate(counts):
        for rows, left in fitting(count, room):
            ways = fillings(tuple(sorted(counts[place + 1:])), left)
            if number < ways: break
            number -= ways
        chosen.append(rows)
        room = left
    return chosen


def placed(counts, number, numbers):
    cells = [[0] * 9 for _ in range(3)]
    for column, rows in enumerate(layout(counts, number)):
        for row, value in zip(rows, numbers[column]): cells[row][column] = value
    return tuple(map(tuple, cells))


@functools.lru_cache(None)
def tickets90_up_to():
    """How many tickets there are of each shape and those before it."""
    of_shape = lambda counts: layouts(counts) * math.prod(math.comb(size, count) for size, count in zip(SIZES, counts))
    return list(itertools.accumulate(map(of_shape, SHAPES)))


def ticket90(draws):
    up_to = tickets90_up_to()
    number = draws.below(up_to[-1])
    shape = bisect.bisect_right(up_to, number)
    counts = SHAPES[shape]
    number -= up_to[shape - 1] if shape else 0
    number, rows = divmod(number, layouts(counts))
    numbers = []
    for column, count in enumerate(counts):
        subsets = SUBSETS[SIZES[column], count]
        number, subset = divmod(number, len(subsets))
        numbers.append([COLUMNS[column][place] for place in subsets[subset]])
    return placed(counts, rows, numbers)


# Strips. What is left in the columns is a state: (first column, the seven in the middle in ascending order, last column).

# By how many columns have three numbers: the count of layouts times 27 * (2/3)^threes.
WEIGHTS = [layouts((1,) * (3 + threes) + (2,) * (6 - 2 * threes) + (3,) * threes) * (27, 18, 12, 8)[threes] for threes in range(4)]


def choices(left, tickets):
    """The counts that a column can give to this ticket, if it is to give 1 to 3 to each of `tickets` more."""
    return [count for count in (1, 2, 3) if tickets <= left - count <= 3 * tickets]


@functools.lru_cache(None)
def ways(state, tickets):
    """The weight of all that can follow where `tickets` tickets are still to come."""
    if tickets == 0: return 1
    # How often so many numbers, and threes, are given so that this is left: columns that are alike are counted together.
    given = {(0, 0, ()): 1}
    for place, left in enumerate(state):
        more = {}
        for (numbers, threes, then), times in given.items():
            for count in choices(left, tickets - 1):
                # Each column still to come takes one at least and three at most.
                if not 15 - 3 * (8 - place) <= numbers + count <= 15 - (8 - place): continue
                next_ = then + (left - count,)
                key = (numbers + count, threes + (count == 3), next_[:1] + tuple(sorted(next_[1:])) if place < 8 else next_)
                more[key] = more.get(key, 0) + times
        given = more
    return sum(times * WEIGHTS[threes] * ways(then, tickets - 1) for (_, threes, then), times in given.items())


@functools.lru_cache(None)
def shapes_up_to(state, tickets):
    """The shapes that the next ticket can have, in order, and the weight of each and those before it."""
    possible = []
    for counts in SHAPES:
        then = [left - count for left, count in zip(state, counts)]
        if min(then) < tickets - 1 or max(then) > 3 * (tickets - 1): continue
        then = (then[0], *sorted(then[1:8]), then[8])
        possible.append((counts, WEIGHTS[counts.count(3)] * ways(then, tickets - 1)))
    return [counts for counts, _ in possible], list(itertools.accumulate(weight for _, weight in possible))


def strip(draws):
    left, shapes = list(SIZES), []
    for tickets in range(6, 0, -1):
        # Columns that have equally many left stay in their order.
        columns = [0, *sorted(range(1, 8), key=lambda column: left[column]), 8]
        possible, up_to = shapes_up_to(tuple(left[column] for column in columns), tickets)
        shape = possible[bisect.bisect_right(up_to, draws.below(up_to[-1]))]
        counts = [0] * 9
        for column, count in zip(columns, shape): counts[column] = count
        shapes.append((tuple(counts), draws.below(layouts(shape))))
        left = [before - count for before, count in zip(left, counts)]
    columns = [arranged(draws.below(math.factorial(size)), numbers, size) for size, numbers in zip(SIZES, COLUMNS)]
    tickets = []
    for counts, rows in shapes:
        numbers = [sorted(columns[column][-count:]) for column, count in enumerate(counts)]
        for column, count in enumerate(counts): del columns[column][-count:]
        tickets.append(placed(counts, rows, numbers))
    return tickets


class Dealer:
    """Deals to seats, in the order of their numbers. A ticket that was dealt before is dealt again."""

    def __init__(self, balls, seed): self.balls, self.seed, self.dealt = balls, seed, set()

    def new(self, kind, draw, seat, number):
        for again in itertools.count():
            tickets = draw(Draws(self.seed + b"t" + struct.pack(">BIII", kind, seat, number, again)))
            if self.dealt.isdisjoint(tickets):
                self.dealt.update(tickets)
                return tickets

    def deal(self, seat, count):
        if self.balls == 90 and count == 6: return self.new(6, strip, seat, 0)
        draw = ticket75 if self.balls == 75 else ticket90
        return [self.new(self.balls, lambda draws: [draw(draws)], seat, number)[0] for number in range(count)]


def order_of_balls(balls, seed, roster_hash, public_value):
    draws = Draws(seed + b"b" + bytes([balls]) + roster_hash + sha256((public_value or "").encode()))
    order = list(range(1, balls + 1))
    for place in range(balls - 1, 0, -1):
        other = draws.below(place + 1)
        order[place], order[other] = order[other], order[place]
    return order


# The file.

FIELDS = {"klaxon_proof", "game", "balls", "tickets_each", "commitment", "seed", "roster", "roster_hash", "public_value", "order", "drawn"}


def once(pairs):
    fields = dict(pairs)
    if len(fields) < len(pairs): raise Refused("a field is there twice")
    return fields


def no_number(text): raise Refused(f"{text} is no whole number")


def need(is_so, told):
    if not is_so: raise Refused(told)


def is_whole(value, low, high): return type(value) is int and low <= value <= high


def read(file):
    with open(file, encoding="utf-8") as opened:
        try:
            proof = json.load(opened, object_pairs_hook=once, parse_constant=no_number, parse_float=no_number)
        except (ValueError, RecursionError) as error:
            raise Refused(f"it is no JSON: {error}")
    need(type(proof) is dict, "it is no object")
    proof.setdefault("public_value", None)
    need(FIELDS <= proof.keys(), f"{', '.join(sorted(FIELDS - proof.keys()))}: missing")
    need(proof.keys() <= FIELDS | {"tickets"}, f"{sorted(proof.keys() - FIELDS - {'tickets'})}: not known")
    need(is_whole(proof["klaxon_proof"], 1, 1) and proof["game"] == "bingo", "it is no proof file of bingo of version 1")
    need(is_whole(proof["balls"], 75, 90) and proof["balls"] in (75, 90), "balls: not 75 or 90")
    need(is_whole(proof["tickets_each"], 1, 6), "tickets_each: not 1 to 6")
    for name in ("commitment", "seed", "roster_hash"):
        text = proof[name]
        need(type(text) is str and len(text) == 64 and set(text) <= set("0123456789abcdef"), f"{name}: no 64 hex digits")
        proof[name] = bytes.fromhex(text)
    need(type(proof["public_value"]) in (str, type(None)), "public_value: no text")
    need(not any("\ud800" <= sign <= "\udfff" for sign in proof["public_value"] or ""), "public_value: it can't be written in UTF-8")
    need(type(proof["roster"]) is list, "roster: no list")
    for seat in proof["roster"]:
        need(type(seat) is list and len(seat) == 3 and is_whole(seat[0], 0, 2**32 - 1) and is_whole(seat[1], 0, 2**64 - 1)
             and is_whole(seat[2], 0, 255), f"roster: {seat} is no seat")
    need(type(proof["order"]) is list and all(is_whole(ball, 0, 255) for ball in proof["order"]), "order: no list of balls")
    need(is_whole(proof["drawn"], 0, 255), "drawn: no number of balls")
    if proof.get("tickets") is None: proof["tickets"] = {}
    need(type(proof["tickets"]) is dict, "tickets: no object")
    return proof


def check(proof, shown):
    """What is wrong, by name."""
    wrong = []

    def must(is_so, name, told):
        if not is_so: wrong.append(f"{name}: {told}")

    seats = [seat for seat, _, _ in proof["roster"]]
    must(sha256(proof["seed"]) == proof["commitment"], "commitment", "it is not the SHA-256 of the seed")
    must(all(map(int.__lt__, seats, seats[1:])), "roster", "the seats are not in the order of their numbers, each once")
    must(all(count == proof["tickets_each"] for _, _, count in proof["roster"]), "roster", "a seat has more or fewer tickets than each has")
    if any(name.startswith("roster") for name in wrong): return wrong
    roster_hash = sha256(b"".join(struct.pack(">IQB", *seat) for seat in proof["roster"]))
    must(roster_hash == proof["roster_hash"], "roster_hash", f"it is not that of the roster, which is {roster_hash.hex()}")
    value = proof["public_value"]
    must(value is None or value.strip() and min(value) >= " ", "public_value", "it is blank or has control characters; null means that there is none")
    order = order_of_balls(proof["balls"], proof["seed"], roster_hash, proof["public_value"])
    must(order == proof["order"], "order", f"what follows from the seed is {order}")
    must(proof["drawn"] <= proof["balls"], "drawn", "more balls than there are")
    names = {str(seat) for seat in seats}
    for name in proof["tickets"]: must(name in names, "tickets", f"{name!r} is no seat of the roster")
    must([seat for seat in map(str, seats) if seat in proof["tickets"]] == [name for name in proof["tickets"] if name in names],
         "tickets", "the seats are not in the order of their numbers")
    dealer, different = Dealer(proof["balls"], proof["seed"]), []
    for seat in seats:
        dealt = [list(map(list, ticket)) for ticket in dealer.deal(seat, proof["tickets_each"])]
        if proof["tickets"].get(str(seat), dealt) != dealt: different.append(seat)
        if str(seat) == shown:
            print(f"The tickets of seat {seat}:")
            for ticket in dealt: print(*(" ".join(f"{cell or '.':>2}" for cell in row) for row in ticket), sep="\n", end="\n\n")
    must(not different, "tickets", f"other tickets than follow from the seed: seats {str(different[:10])[1:-1]}, {len(different)} in all")
    must(shown is None or shown in names, "seat", "it is not in the roster")
    return wrong


def main(file, seat=None):
    try:
        proof = read(file)
        wrong = check(proof, seat)
    except (OSError, Refused) as error:
        sys.exit(f"refused: {error}")
    if wrong: sys.exit("\n".join(["This is no proof:", *wrong]))
    print(f"{len(proof['roster'])} seats with {proof['tickets_each']} tickets each were dealt again; "
          f"the tickets of {len(proof['tickets'])} seats are in the file, and the same.")
    print(f"commitment   {proof['commitment'].hex()}\nroster hash  {proof['roster_hash'].hex()}\npublic value {json.dumps(proof['public_value'])}")
    print(f"drawn        {' '.join(map(str, proof['order'][:proof['drawn']]))}")
    print("Compare these with what the show published before the first ticket, before the first ball, and ball by ball.")


if __name__ == "__main__": main(*sys.argv[1:])
