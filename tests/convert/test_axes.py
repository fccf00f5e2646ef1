import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport.convert.tracing.axes import Atom, AxisError, Roles, axis_of, regroup, sizes

TIME, BATCH = Atom(1_000_003, "input:0"), Atom(1_000_033, "input:1")
ROLES = Roles(time="input:0", batch="input:1")


def test_flattening_and_back_keeps_time_and_batch_apart() -> None:
    axes = ((TIME,), (BATCH,), axis_of(6), axis_of(4))
    merged = regroup(axes, (TIME.size * BATCH.size, 6, 4))
    assert merged[0] == (TIME, BATCH)
    back = regroup(merged, (TIME.size, BATCH.size, 2, 3, 4))
    assert [ROLES.is_feature(axis[0]) for axis in back] == [False, False, True, True, True]
    assert ROLES.feature_shape(back) == (2, 3, 4)


def test_swapping_time_and_batch_by_a_view_is_refused() -> None:
    axes = ((TIME,), (BATCH,), axis_of(6))
    with pytest.raises(AxisError, match="tears an axis apart"):
        regroup(axes, (BATCH.size, TIME.size, 6))


def test_features_in_the_batch_axis_are_seen() -> None:
    with pytest.raises(AxisError, match="features are merged"):
        ROLES.require_outer_first(((TIME, BATCH, Atom(3)), axis_of(4)), 1)
    with pytest.raises(AxisError, match="time or batch"):
        ROLES.require_outer_first(((TIME,), (BATCH, Atom(3))), 1)


def test_unit_axes_are_features_unless_they_hold_time() -> None:
    assert ROLES.feature_shape(((TIME,), (BATCH,), (), axis_of(5))) == (1, 5)


@given(st.lists(st.sampled_from([1, 2, 3, 4, 6]), min_size=1, max_size=5), st.data())
def test_regrouping_keeps_the_elements_and_their_order(
    shape: list[int], data: st.DataObject
) -> None:
    axes = tuple(axis_of(size) for size in shape)
    total, target = math.prod(shape), []
    while total > 1:
        divisor = data.draw(st.sampled_from([d for d in range(2, total + 1) if total % d == 0]))
        target.append(divisor)
        total //= divisor
    try:
        result = regroup(axes, target)
    except AxisError:
        return  # no common refinement of the two shapes, such as (2, 3) as (3, 2)
    assert list(sizes(result)) == target
    atoms = [atom.size for axis in result for atom in axis]
    assert math.prod(atoms) == math.prod(shape)
