// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BidHeap} from "../../../contracts/libraries/BidHeap.sol";
import {Test} from "../utils/Test.sol";

contract BidHeapTest is Test {
    using BidHeap for uint256[];

    uint256[] private _heap;
    uint256[] private _naive; // all bids, sorted from best to worst

    /// @dev After any number of bids the heap holds the best of them, and whoever fell out is the one it names.
    function test_holdsTheBestBids(uint256 seed) public {
        uint256 slots = _within(seed, 1, 20);
        for (uint256 i; i < 60; ++i) {
            uint256 bid = _bid(seed, i);
            uint256 worst = _naive.length < slots ? type(uint256).max : _naive[slots - 1];
            bool full = _heap.length == slots;
            _insert(bid);

            (bool accepted, address displaced) = _heap.push(slots, bid);
            vm.assertTrue(accepted == (bid < worst), "accepted");
            vm.assertEq(displaced, accepted && full ? address(uint160(worst)) : address(0), "displaced");
            vm.assertEq(_heap.length, _naive.length < slots ? _naive.length : slots, "length");
        }
        uint256[] memory sorted = _heap;
        BidHeap.sort(sorted);
        for (uint256 i; i < sorted.length; ++i) vm.assertEq(sorted[i], _naive[i], "rank");
    }

    /// @dev Price bucket before reputation before offer before arrival; inside a bucket one wei less wins nothing.
    function test_keyRanksAsDocumented(uint256 seed) public pure {
        uint256 maxPrice = _within(seed, 1, type(uint64).max);
        uint256[2] memory price;
        uint16[2] memory reputation;
        uint32[2] memory offer;
        uint256[2] memory keys;
        for (uint256 i; i < 2; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            // Equal fields must come up often.
            price[i] = random % 4 == 0 ? maxPrice : random / 4 % (maxPrice + 1);
            reputation[i] = uint16(random >> 80) % 2;
            offer[i] = uint32(random >> 96) % 2;
            address bidder = address(uint160(type(uint160).max * i));
            keys[i] = BidHeap.key(price[i], maxPrice, reputation[i], offer[i], uint32(i + 1), bidder);
            vm.assertEq(address(uint160(keys[i])), bidder, "bidder");
        }
        bool firstWins = true; // it came first
        if (offer[0] != offer[1]) firstWins = offer[0] > offer[1];
        if (reputation[0] != reputation[1]) firstWins = reputation[0] > reputation[1];
        uint256[2] memory bucket =
            [(price[0] * 100 + maxPrice - 1) / maxPrice, (price[1] * 100 + maxPrice - 1) / maxPrice];
        if (bucket[0] != bucket[1]) firstWins = bucket[0] < bucket[1];
        vm.assertTrue((keys[0] < keys[1]) == firstWins, "rank");
    }

    function _bid(uint256 seed, uint256 i) private pure returns (uint256) {
        uint256 random = uint256(keccak256(abi.encode(seed, i)));
        address bidder = address(uint160(random >> 96));
        uint16 reputation = uint16(random >> 8) % 3;
        return BidHeap.key(random % 5, 4, reputation, uint32(random >> 16) % 3, uint32(i), bidder);
    }

    function _insert(uint256 bid) private {
        _naive.push(bid);
        for (uint256 i = _naive.length - 1; i > 0 && _naive[i - 1] > bid; --i) {
            (_naive[i - 1], _naive[i]) = (bid, _naive[i - 1]);
        }
    }
}
