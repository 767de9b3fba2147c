// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AggregateVerifier} from "../../contracts/libraries/AggregateVerifier.sol";
import {ParameterTree} from "../../contracts/libraries/ParameterTree.sol";
import {Proof} from "./Proof.sol";

contract AggregateProof is Proof {
    /// @dev The median counts one or two inputs in the middle, the trimmed mean drops as many at both ends, and
    /// something is left.
    function check_whatCountsIsInTheMiddle(uint8 rule, uint16 trimShare, uint8 count) public pure {
        vm.assume(rule <= 2 && trimShare < 5000 && count >= 1 && count <= 128);
        AggregateVerifier.Sum memory s = AggregateVerifier.start(rule, trimShare, count);
        (uint256 first, uint256 counted) = (_first(s), _counted(s));
        assert(counted >= 1 && 2 * first + counted == count);
        if (rule == AggregateVerifier.WEIGHTED_MEAN) assert(first == 0);
        if (rule == AggregateVerifier.MEDIAN) assert(counted <= 2);
        if (rule == AggregateVerifier.TRIMMED_MEAN) assert(first == uint256(count) * trimShare / 10_000);
    }

    // ------------------------------------------------------------------ what depends on the form of a sum

    function _first(AggregateVerifier.Sum memory s) private pure returns (uint256) {
        unchecked {
            return 0 - s.position;
        }
    }

    function _counted(AggregateVerifier.Sum memory s) private pure returns (uint256) {
        return s.span;
    }
}

/// @notice Models of 1 to 2^28 parameters, that is of up to 2^23 leaves and 23 levels.
contract ParameterTreeProof is Proof {
    function check_leavesHoldAllParameters(uint256 count) public pure {
        vm.assume(count >= 1 && count <= 2 ** 28);
        uint256 leaves = ParameterTree.leaves(count);
        assert(32 * leaves >= count && 32 * leaves < count + 32);
    }

    /// @dev One level up there are half as many nodes, rounded up, and a node's parent is one of them: so the walks of
    /// `pathLength` and `climb`, which halve, stay in the tree and end at its top.
    function check_levels(uint256 leaves, uint256 height, uint256 index) public pure {
        vm.assume(leaves >= 1 && leaves <= 2 ** 23 && height <= 22);
        uint256 width = ParameterTree.width(leaves, height);
        uint256 above = ParameterTree.width(leaves, height + 1);
        assert(width >= 1 && above == (width + 1) / 2);
        vm.assume(index < width);
        assert(index / 2 < above);
    }
}
