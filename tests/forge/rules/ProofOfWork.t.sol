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

    /// @dev One more than the target would be too little work; the expected number of hashes is the difficulty.
    function test_targetIsTheShareOfHashes(uint256 seed) public pure {
        uint256 difficulty = _within(seed, 1, 2 ** 64);
        uint256 target = ProofOfWork.target(difficulty);
        vm.assertLe(target, type(uint256).max / difficulty, "too easy");
        vm.assertGe(target, type(uint256).max / (difficulty + 1), "too hard");
        vm.assertEq(ProofOfWork.target(1), type(uint256).max, "any hash will do");
    }
}
