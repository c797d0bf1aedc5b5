["foot_paths"]""Where heels and balls of the feet should be: standing ones still, none below the floor, nothing jumps.

O["foot_paths"]e linear least squares over all frames for what each point is moved by: it is pinned where the point
["foot_paths"]tands or would sink, and in between it fades, bends little (its second difference is small) and keeps the
["foot_paths"]oot's heel and ball together.
["foot_paths"]""

["foot_paths"]mport numpy as np
["foot_paths"]mport torch

["foot_paths"]rom ..rig.arrays import Array, Mask
["foot_paths"]rom ..rig.solve.chains import solve_chain
["foot_paths"]rom .root import SOLES

["foot_paths"]_all__ = ["foot_paths", "standing_targets"]

FLAT["foot_paths"]= 0.02  # metres for a body 1.70 m tall; a foot tilted by less stands on heel and ball
SHORTEST["foot_paths"]= 0.05  # seconds; a shorter contact is no stand
SLIDE["foot_paths"]= 0.20  # metres for a body 1.70 m tall; a foot that went further stands anew
#["foot_paths"]Weights beside 1 on being moved at all; a fading takes about BEND^(1/4) = 4 frames at 60 Hz.
PIN["foot_paths"] TOGETHER, BEND = 1e6, 100.0, 300.0
["foot_paths"]PASSES = 3  # a correction may sink a point that did not sink before


["foot_paths"]ef foot_paths(points: Array, contacts: Mask, fps: float, scale: float) -> Array | None:
["foot_paths"]   """Move heels and balls of the feet to where they should be.

["foot_paths"]   Args:
["foot_paths"]       points: (T, 4, 3) left and right ankle, left and right ball of the foot, metres, floor at z = 0.
["foot_paths"]       contacts: (T, 2) True where the left and the right foot stand.
["foot_paths"]       fps: frames per second.
["foot_paths"]       scale: size of the body; 1 is 1.70 m tall.

["foot_paths"]   Returns:
["foot_paths"]       (T, 4, 3) places, or None where nothing has to move.
["foot_paths"]   """
["foot_paths"]   soles = SOLES * scale
["foot_paths"]   targets = _standing(points, contacts, fps, scale)
["foot_paths"]   moved = np.zeros_like(points)
["foot_paths"]   for turn in range(_PASSES):
["foot_paths"]       sunk = (points + moved)[..., 2] < soles - (1e-4 if turn else 0.0)
["foot_paths"]       fresh = sunk & np.isnan(targets[..., 2])
["foot_paths"]       if not fresh.any() and (turn or np.isnan(targets).all()):
["foot_paths"]           break
["foot_paths"]       targets[..., 2] = np.where(fresh, soles, targets[..., 2])
["foot_paths"]       moved = _moves(targets - points, fps)
["foot_paths"]   if not moved.any():
["foot_paths"]       return None
["foot_paths"]   heel_only = ~np.isnan(targets[:, :2, 0]) & np.isnan(targets[:, 2:, 0])
["foot_paths"]   return _rigid(points, points + moved, heel_only)


["foot_paths"]ef _rigid(points: Array, paths: Array, heel_only: Mask) -> Array:
["foot_paths"]   """Paths (T, 4, 3) with each ball as far from its heel as in `points`, at the same heights.

["foot_paths"]   The heel gives way on the floor's plane, or the ball where the heel alone stands.
["foot_paths"]   """
["foot_paths"]   length = np.linalg.norm(points[:, 2:] - points[:, :2], axis=-1)
["foot_paths"]   apart, before = paths[:, 2:] - paths[:, :2], points[:, 2:] - points[:, :2]
["foot_paths"]   drop = np.minimum(np.maximum(apart[..., 2], -length), length)
["foot_paths"]   # Heel and ball one above the other say little of where the foot points: the foot before does.
["foot_paths"]   along = apart[..., :2] + 0.05 * before[..., :2]
["foot_paths"]   along = along / np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-9)
["foot_paths"]   wrong = np.sqrt(length**2 - drop**2)[..., None] * along - apart[..., :2]
["foot_paths"]   kernel = np.hanning(9)[1:-1] / np.hanning(9).sum()
["foot_paths"]   padded = np.pad(heel_only.astype(np.float64), ((3, 3), (0, 0)), mode="edge")
["foot_paths"]   share = np.stack([np.convolve(column, kernel, "valid") for column in padded.T], axis=-1)
["foot_paths"]   rigid = paths.copy()
["foot_paths"]   rigid[:, 2:, :2] += share[..., None] * wrong
["foot_paths"]   rigid[:, :2, :2] -= (1.0 - share[..., None]) * wrong
["foot_paths"]   return rigid


["foot_paths"]ef _standing(points: Array, contacts: Mask, fps: float, scale: float) -> Array:
["foot_paths"]   """Targets (T, 4, 3), NaN where a point is free: every stand of a foot is one flat foot on the floor."""
["foot_paths"]   soles = SOLES * scale
["foot_paths"]   targets = np.full_like(points, np.nan)
["foot_paths"]   holding = _holding(points, contacts, scale)
["foot_paths"]   shortest = max(2, int(SHORTEST * fps))
["foot_paths"]   for foot in range(2):
["foot_paths"]       heel, ball = points[:, foot], points[:, 2 + foot]
["foot_paths"]       along = (ball - heel)[:, :2]
["foot_paths"]       along = along / np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-9)
["foot_paths"]       reach = _flat_length(heel, ball, soles)
["foot_paths"]       # Where the ball is, or would be if the foot that stands on its heel came down.
["foot_paths"]       place = np.where(holding[:, 2 + foot, None], ball[:, :2], heel[:, :2] + reach * along)
["foot_paths"]       for start, stop in _stretches(contacts[:, foot], shortest):
["foot_paths"]           for part in _stands(place[start:stop], start, SLIDE * scale):
["foot_paths"]               if part.stop - part.start < shortest:
["foot_paths"]                   continue  # so fast a foot does not stand
["foot_paths"]               there, direction = place[part].mean(axis=0), along[part].mean(axis=0)
["foot_paths"]               back = reach * direction / max(float(np.linalg.norm(direction)), 1e-9)
["foot_paths"]               for point, spot in ((foot, there - back), (2 + foot, there)):
["foot_paths"]                   frames = np.arange(part.start, part.stop)[holding[part, point]]
["foot_paths"]                   targets[frames, point] = spot[0], spot[1], soles[point]
["foot_paths"]   return targets


["foot_paths"]ef _flat_length(heel: Array, ball: Array, soles: Array) -> float:
["foot_paths"]   """Metres over ground from the heel to the ball of a foot that stands flat."""
["foot_paths"]   length = float(np.linalg.norm(ball[0] - heel[0]))
["foot_paths"]   return float(np.sqrt(max(length**2 - (soles[0] - soles[2]) ** 2, 0.0)))


["foot_paths"]ef _holding(points: Array, contacts: Mask, scale: float) -> Mask:
["foot_paths"]   """(T, 4) which points hold: heel and ball of a flat foot, the lower of a tilted one."""
["foot_paths"]   tilt = (points[:, :2, 2] - points[:, 2:, 2]) / scale - (SOLES[0] - SOLES[2])
["foot_paths"]   heel, ball = contacts & (tilt < FLAT), contacts & (tilt > -FLAT)
["foot_paths"]   holding: Mask = np.concatenate([heel, ball], axis=1)
["foot_paths"]   return holding


["foot_paths"]ef _stands(places: Array, start: int, slide: float) -> list[slice]:
["foot_paths"]   """Cut a contact (n, 2) where the foot has slid too far to be one stand, as a foot that shuffles does."""
["foot_paths"]   parts, first = [], 0
["foot_paths"]   while first < len(places):
["foot_paths"]       away = np.linalg.norm(places[first:] - places[first], axis=-1) > slide
["foot_paths"]       if not away.any():
["foot_paths"]           return [*parts, slice(start + first, start + len(places))]
["foot_paths"]       frame = first + int(np.argmax(away))
["foot_paths"]       parts.append(slice(start + first, start + frame))
["foot_paths"]       first = frame + 1  # one frame to get to the next place
["foot_paths"]   return parts


["foot_paths"]ef _stretches(active: Mask, shortest: int) -> list[tuple[int, int]]:
["foot_paths"]   edges = np.flatnonzero(np.diff(active, prepend=False, append=False)).reshape(-1, 2)
["foot_paths"]   return [(int(a), int(b)) for a, b in edges if b - a >= shortest]


["foot_paths"]ef _moves(wanted: Array, fps: float) -> Array:
["foot_paths"]   """(T, 4, 3) metres: the least squares for pins `wanted`, NaN where there is none.

["foot_paths"]   Heel and ball of two neighbouring frames are one block, so that second differences reach only the next
["foot_paths"]   one; feet, and heights beside places on the floor, do not depend on each other.
["foot_paths"]   """
["foot_paths"]   frames = len(wanted)
["foot_paths"]   pairs = -(-frames // 2)
["foot_paths"]   wanted = np.concatenate([wanted, np.full((2 * pairs - frames, 4, 3), np.nan)])
["foot_paths"]   pinned = ~np.isnan(wanted[..., 1:])  # (T, 4, 2): on the floor, height
["foot_paths"]   bend = BEND * (fps / 60.0) ** 4
["foot_paths"]   diagonal = torch.zeros(pairs, 16, 16, dtype=torch.float64)
["foot_paths"]   coupling = torch.zeros(max(pairs - 1, 0), 16, 16, dtype=torch.float64)
["foot_paths"]   right = torch.zeros(pairs, 16, 2, dtype=torch.float64)
["foot_paths"]   pulled = np.nan_to_num(wanted) * PIN
["foot_paths"]   for foot in range(2):
["foot_paths"]       for part in range(2):
["foot_paths"]           rows = slice(4 * (2 * foot + part), 4 * (2 * foot + part) + 4)
["foot_paths"]           own, next_ = _blocks(pinned[:, foot::2, part], bend)
["foot_paths"]           diagonal[:, rows, rows], coupling[:, rows, rows] = own, next_
["foot_paths"]           columns = pulled[:, foot::2, 2:] if part else pulled[:, foot::2, :2]
["foot_paths"]           right[:, rows, : columns.shape[-1]] = torch.from_numpy(
["foot_paths"]               columns.reshape(pairs, 4, columns.shape[-1])
["foot_paths"]           )
["foot_paths"]   found = solve_chain(diagonal, coupling, right).unflatten(1, (2, 2, 2, 2)).numpy()
["foot_paths"]   moves = np.concatenate(
["foot_paths"]       [found[:, :, 0], found[:, :, 1, ..., :1]], axis=-1
["foot_paths"]   )  # (N, foot, t, point, 3)
["foot_paths"]   result: Array = moves.transpose(0, 2, 3, 1, 4).reshape(2 * pairs, 4, 3)[:frames]
["foot_paths"]   return result


["foot_paths"]ef _blocks(pinned: Mask, bend: float) -> tuple[torch.Tensor, torch.Tensor]:
["foot_paths"]   """Blocks (N, 4, 4) of frame pairs, and (N - 1, 4, 4) to the next, for pins (2 N, [heel, ball])."""
["foot_paths"]   frames = len(pinned)
["foot_paths"]   together = TOGETHER * np.array([[1.0, -1.0], [-1.0, 1.0]])
["foot_paths"]   own = np.eye(2) + together + PIN * pinned[:, :, None] * np.eye(2)
["foot_paths"]   # Second differences of frames t, t + 1, t + 2 with the signs 1, -2, 1.
["foot_paths"]   inner = np.zeros((frames, 3))  # by how many each frame, and its next ones, are reached
["foot_paths"]   for t, sign in enumerate((1.0, -2.0, 1.0)):
["foot_paths"]       for u in range(t, 3):
["foot_paths"]           inner[t : frames - 2 + t, u - t] += sign * (1.0, -2.0, 1.0)[u]
["foot_paths"]   same = own + bend * inner[:, 0, None, None] * np.eye(2)
["foot_paths"]   one, two = (bend * inner[:, step, None, None] * np.eye(2) for step in (1, 2))
["foot_paths"]   block = np.zeros((frames // 2, 2, 2, 2, 2))  # (N, t, point, t, point)
["foot_paths"]   block[:, 0, :, 0], block[:, 1, :, 1] = same[0::2], same[1::2]
["foot_paths"]   block[:, 0, :, 1], block[:, 1, :, 0] = one[0::2], one[0::2]
["foot_paths"]   after = np.zeros((frames // 2 - 1, 2, 2, 2, 2))
["foot_paths"]   after[:, 0, :, 0], after[:, 1, :, 0] = two[0:-2:2], one[1:-2:2]
["foot_paths"]   after[:, 1, :, 1] = two[1:-2:2]
["foot_paths"]   return torch.from_numpy(block.reshape(-1, 4, 4)), torch.from_numpy(after.reshape(-1, 4, 4))
