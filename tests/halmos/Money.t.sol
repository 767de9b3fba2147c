// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Money} from "../../contracts/libraries/Money.sol";
import {Proof} from "./Proof.sol";

contract MoneyProof is Proof {
    function check_partsOfTwoFitTheirPartTogether(uint80 amount, uint48 a, uint48 b, uint56 sum) public pure {
        vm.assume(sum != 0);
        uint256 each = Money.part(amount, a, sum) + Money.part(amount, b, sum);
        assert(each * sum <= uint256(amount) * (uint256(a) + b));
        assert(each <= Money.part(amount, uint256(a) + b, sum));
    }

    function check_theWholeWeightTakesAll(uint80 amount, uint56 sum) public pure {
        vm.assume(sum != 0);
        assert(Money.part(amount, sum, sum) == amount);
    }

    function check_budgetsAndFeesFitThePool(uint80 pool, uint80 fee, uint16 rounds) public pure {
        vm.assume(rounds != 0 && uint256(fee) * rounds <= pool);
        assert((Money.budget(pool, fee, rounds) + fee) * rounds <= pool);
    }

    function check_budgetNeverFalls(uint80 pool, uint80 highest, uint80 fee, uint80 paid, uint16 rounds) public pure {
        vm.assume(rounds > 1 && uint256(highest) * rounds <= pool && fee <= highest);
        uint256 budget = Money.budget(pool, highest, rounds);
        vm.assume(paid <= budget);
        uint256 left = uint256(pool) - fee - paid - uint256(highest) * (rounds - 1);
        assert(budget * (rounds - 1) <= left);
        assert(budget <= Money.budget(uint256(pool) - fee - paid, highest, rounds - 1));
    }
}
