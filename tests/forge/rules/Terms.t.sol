// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {TermsRules} from "../../../contracts/libraries/TermsRules.sol";
import {Publishing} from "../utils/Publishing.sol";
import {Ranges} from "../utils/Ranges.sol";

/// @notice Terms: their ranges, and their way into the code of the proxy and out of it.
contract TermsTest is Publishing, Ranges {
    function setUp() public {
        _deploy(1 wei);
    }

    function check(Terms calldata t) external pure {
        TermsRules.check(t);
    }

    /// @dev One below and one above its range, every term is refused by its own name; at the ends it is not.
    function test_everyTermOutOfRangeNamesItself() public view {
        uint256[] memory t = _words(_defaultTerms());
        vm.assertEq(t.length, TERMS, "the table has a row per term");
        for (uint256 word; word < TERMS; ++word) {
            Range memory r = _range(t, word);
            if (r.minimum > 0) {
                bool zeroHash = r.typeMaximum == type(uint256).max && r.maximum == r.typeMaximum;
                bytes memory missing = abi.encodeWithSelector(TermsRules.TermsRules_Missing.selector, r.name);
                _expect(t, word, r.minimum - 1, zeroHash ? missing : _outOfRange(r, r.minimum - 1));
            }
            if (r.maximum < r.typeMaximum) _expect(t, word, r.maximum + 1, _outOfRange(r, r.maximum + 1));
            _expectOther(t, word, r.minimum, r.name);
            _expectOther(t, word, r.maximum, r.name);
        }
    }

    /// @dev Any terms in their ranges come out of the proxy's code as they went in: against what was published, and
    /// against a plain decoding beside the pointer arithmetic that the task uses.
    function test_termsComeOutAsTheyWentIn(uint256 seed) public {
        uint256[] memory t = _words(_defaultTerms());
        t[29] = _within(uint256(keccak256(abi.encode(seed, "bond"))), 1, 2 ** 76);
        t[48] = _within(uint256(keccak256(abi.encode(seed, "window"))), 1, 30 days);
        for (uint256 word; word < TERMS; ++word) {
            if (word == 29 || word == 48) continue;
            Range memory r = _range(t, word);
            if (word == 24) r.minimum = 2 ** 50; // no share may floor to zero
            uint256 random = uint256(keccak256(abi.encode(seed, word)));
            if (r.maximum - r.minimum == type(uint256).max) t[word] = random;
            else if (random % 4 == 0) t[word] = r.maximum;
            else t[word] = r.minimum + random % (r.maximum - r.minimum + 1);
        }
        Terms memory published = abi.decode(abi.encodePacked(t), (Terms));
        _publish(published);

        bytes32 expected = keccak256(abi.encodePacked(t));
        vm.assertEq(keccak256(abi.encode(task.terms())), expected, "terms");
        vm.assertEq(task.publisher(), publisher, "publisher");
        vm.assertEq(task.factory(), address(factory), "factory");
        vm.assertEq(task.reputation(), factory.reputation(), "reputation");
        _expectInTheCode(expected);
    }

    /// @dev The end of the task's code is `abi.encode(terms, publisher, factory, reputation, implementation, blocks)`.
    function _expectInTheCode(bytes32 expected) private view {
        bytes memory code = address(task).code;
        bytes memory args = new bytes(32 * (TERMS + 5));
        for (uint256 i; i < args.length; ++i) args[i] = code[code.length - args.length + i];
        (Terms memory plain, address p, address f, address r, address i_, address b) =
            abi.decode(args, (Terms, address, address, address, address, address));
        vm.assertEq(keccak256(abi.encode(plain)), expected, "plain twin: terms");
        vm.assertTrue(p == publisher && f == address(factory), "plain twin: people");
        vm.assertTrue(r == factory.reputation() && i_ == factory.implementation(), "plain twin: code");
        vm.assertEq(b, task.blocks(), "plain twin: blocks");
    }

    function _words(Terms memory t) private pure returns (uint256[] memory words) {
        bytes memory packed = abi.encode(t);
        words = new uint256[](packed.length / 32);
        for (uint256 i; i < words.length; ++i) {
            uint256 word;
            for (uint256 k; k < 32; ++k) word = word << 8 | uint8(packed[32 * i + k]);
            words[i] = word;
        }
    }

    function _outOfRange(Range memory r, uint256 actual) private pure returns (bytes memory) {
        bytes4 selector = TermsRules.TermsRules_OutOfRange.selector;
        return abi.encodeWithSelector(selector, r.name, actual, r.minimum, r.maximum);
    }

    function _check(uint256[] memory t, uint256 word, uint256 value) private view returns (bool ok, bytes memory why) {
        uint256 before = t[word];
        t[word] = value;
        (ok, why) = address(this).staticcall(abi.encodePacked(this.check.selector, t));
        t[word] = before;
    }

    function _expect(uint256[] memory t, uint256 word, uint256 value, bytes memory reason) private view {
        (bool ok, bytes memory why) = _check(t, word, value);
        vm.assertTrue(!ok, "taken");
        vm.assertEq(keccak256(why), keccak256(reason), vm.toString(word));
    }

    /// @dev At the end of its range a term may collide with another, which then is the one that is named.
    function _expectOther(uint256[] memory t, uint256 word, uint256 value, bytes32 name) private view {
        (bool ok, bytes memory why) = _check(t, word, value);
        if (ok) return;
        vm.assertNotEq(abi.decode(_arguments(why), (bytes32)), name, vm.toString(word));
    }
}
