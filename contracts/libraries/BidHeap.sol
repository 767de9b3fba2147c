// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title The best bids so far, bounded by the slots
/// @notice A binary heap of keys with the worst one on top, so that a better bid finds the one it displaces in O(1)
/// and takes its place in O(log slots). A smaller key is a better bid.
library BidHeap {
    uint256 private constant BUCKETS = 100; // one per cent of the task's maximum price

    /// @notice The key of a bid: price bucket, then reputation, then offer, then time of arrival. One-wei undercuts
    /// stay in their bucket. The bidder's address is carried in the low 160 bits and never decides.
    function key(
        uint256 price,
        uint256 maxPrice,
        uint16 reputation,
        uint32 offer,
        uint32 arrival,
        address bidder
    ) internal pure returns (uint256) {
        // Rounded up: round prices lie on the upper edge of their bucket, so that a wei less does not leave it.
        uint256 bucket = maxPrice == 0 ? 0 : (price * BUCKETS + maxPrice - 1) / maxPrice;
        return bucket << 240 | uint256(type(uint16).max - reputation) << 224
            | uint256(type(uint32).max - offer) << 192 | uint256(arrival) << 160 | uint160(bidder);
    }

    /// @notice Takes `bid` in.
    /// @return accepted false when all slots hold better bids
    /// @return displaced the bidder that lost its slot, or zero
    function push(
        uint256[] storage heap,
        uint256 slots,
        uint256 bid
    ) internal returns (bool accepted, address displaced) {
        uint256 size = heap.length;
        if (size < slots) {
            heap.push(bid);
            _up(heap, size, bid);
            return (true, address(0));
        }
        uint256 worst = heap[0];
        if (bid > worst) return (false, address(0));
        _down(heap, size, bid);
        return (true, address(uint160(worst)));
    }

    /// @notice Sorts a copy of the heap from best to worst, in place.
    function sort(uint256[] memory keys) internal pure {
        // It has the worst on top already: move that to the end, again and again.
        for (uint256 end = keys.length; end > 1;) {
            --end;
            uint256 last = keys[end];
            keys[end] = keys[0];
            uint256 i;
            while (true) {
                uint256 child = 2 * i + 1;
                if (child >= end) break;
                if (child + 1 < end && keys[child + 1] > keys[child]) ++child;
                if (keys[child] <= last) break;
                keys[i] = keys[child];
                i = child;
            }
            keys[i] = last;
        }
    }

    function _up(uint256[] storage heap, uint256 i, uint256 bid) private {
        while (i > 0) {
            uint256 parent = (i - 1) / 2;
            uint256 above = heap[parent];
            if (above >= bid) break;
            heap[i] = above;
            i = parent;
        }
        heap[i] = bid;
    }

    function _down(uint256[] storage heap, uint256 size, uint256 bid) private {
        uint256 i;
        while (true) {
            uint256 child = 2 * i + 1;
            if (child >= size) break;
            uint256 below = heap[child];
            if (child + 1 < size) {
                uint256 other = heap[child + 1];
                if (other > below) (child, below) = (child + 1, other);
            }
            if (below <= bid) break;
            heap[i] = below;
            i = child;
        }
        heap[i] = bid;
    }
}
