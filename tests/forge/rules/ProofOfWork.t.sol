// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ProofOfWork} from "../../../contracts/libraries/ProofOfWork.sol";
import {Test} from "../utils/Test.sol";

contract ProofOfWorkTest is Test {
    function test_D03_retargetStaysWithinAFactorOfFourAndTheBounds(uint256 seed, uint64 actual, uint32 wanted) public pure {
        uint256 difficulty = _within(seed, 1, 2 ** 64);
        uint256 next = ProofOfWork.retarget(difficulty, actual, wanted);
        vm.assertGe(next, 1, "smallest");
        vm.assertLe(next, 2 ** 64, "largest");
        vm.assertLe(next, 4 * difficulty, "up");
        vm.assertGe(next, difficulty / 4, "down");
        if (wanted == 0 || actual == wanted) vm.assertEq(next, difficulty, "no reason to change");
        if (wanted != 0 && actual > wanted) vm.assertLe(next, difficulty, "too slow");
        if (actual < wanted) vm.assertGe(next, difficulty, "too fast");
    }

    /// @dev By hand: in proportion, rounded down, from a quarter to four times, within the bounds.
    function test_retargetByHand() public pure {
        uint256[4][16] memory rows = [
            [uint256(1000), 10, 10, 1000],
            [uint256(1000), 20, 10, 500],
            [uint256(1000), 5, 10, 2000],
            [uint256(1000), 3, 10, 3333],
            [uint256(1000), 2, 10, 4000],
            [uint256(1000), 39, 10, 256],
            [uint256(1000), 40, 10, 250],
            [uint256(1000), 41, 10, 250],
            [uint256(1000), 0, 3, 3000],
            [uint256(1000), 1, 3, 3000],
            [uint256(1000), 7, 0, 1000],
            [uint256(3), 100, 1, 1],
            [uint256(1), 2, 1, 1],
            [uint256(2 ** 64), 1, 2, 2 ** 64],
            [uint256(2 ** 64), 2, 1, 2 ** 63],
            [uint256(2 ** 62 + 1), 1, 4, 2 ** 64]
        ];
        for (uint256 i; i < rows.length; ++i) {
            vm.assertEq(ProofOfWork.retarget(rows[i][0], rows[i][1], rows[i][2]), rows[i][3], vm.toString(i));
        }
        vm.assertEq(ProofOfWork.target(3), type(uint256).max / 3, "target");
    }

    /// @dev One more than the target would be too little work; the expected number of hashes is the difficulty.
    function test_targetIsTheShareOfHashes(uint256 seed) public pure {
        uint256 difficulty = _within(seed, 1, 2 ** 64);
        uint256 target = ProofOfWork.target(difficulty);
        vm.assertLe(target, type(uint256).max / difficulty, "too easy");
        vm.assertGe(target, type(uint256).max / (difficulty + 1), "too hard");
        vm.assertEq(ProofOfWork.target(1), type(uint256).max, "any hash will do");
    }
}
