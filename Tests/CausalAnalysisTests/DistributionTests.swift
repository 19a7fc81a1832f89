import MetaLearnersCore
import Testing
import _TestSupport

@testable import CausalAnalysis

@Suite("Distributions of test statistics")
struct DistributionTests {
    private func distribution(_ entry: Fixture) throws -> any TestDistribution {
        let parameters = try entry.numbers("parameters")
        switch try entry.text("distribution") {
        case "student": return StudentDistribution(parameters[0])
        case "f": return FDistribution(parameters[0], parameters[1])
        case "chi_square": return ChiSquareDistribution(parameters[0])
        default: return NormalDistribution()
        }
    }

    @Test("Shares and quantiles have twelve digits of those computed with ninety, tails included")
    func reference() throws {
        let cases = try Fixture("distributions").part("cases").parts()
        #expect(cases.count == 19)
        func same(_ left: Double, _ right: Double) -> Bool {
            abs(left - right) <= 1e-12 * max(abs(left), abs(right))
        }
        for entry in cases {
            let known = try distribution(entry)
            for numbers in try entry.lists("shares") {
                let shares = known.shares(numbers[0])
                #expect(same(shares.lower, numbers[1]), "\(known) below \(numbers[0]): \(shares.lower)")
                #expect(same(shares.upper, numbers[2]), "\(known) above \(numbers[0]): \(shares.upper)")
                #expect(known.cdf(numbers[0]) == shares.lower && known.upperTail(numbers[0]) == shares.upper)
            }
            for numbers in try entry.lists("quantiles") {
                let quantile = known.quantile(numbers[0])
                // Near a quantile of 0 digits of the share, not of the number, are what can be had.
                #expect(
                    same(quantile, numbers[1]) || abs(quantile - numbers[1]) < 1e-12,
                    "\(known), \(numbers[0]): \(quantile), \(numbers[1])")
            }
        }
    }

    @Test("Ends of the support, medians, symmetry and impossible probabilities")
    func ends() {
        #expect(
            NormalDistribution().quantile(0) == -.infinity && NormalDistribution().quantile(1) == .infinity)
        #expect(ChiSquareDistribution(3).quantile(0) == 0 && FDistribution(2, 5).quantile(1) == .infinity)
        #expect(StudentDistribution(4).quantile(0.5) == 0 && NormalDistribution().quantile(0.5) == 0)
        #expect(StudentDistribution(4).quantile(-0.1).isNaN && StudentDistribution(4).quantile(.nan).isNaN)
        for probability in [1e-30, 1e-10, 0.01, 0.3] {
            let upper = StudentDistribution(7).upperQuantile(probability)
            let lower = StudentDistribution(7).quantile(probability)
            #expect(Approximate.equal(upper, -lower, 1e-12))
            #expect(
                abs(StudentDistribution(7).upperTail(upper) / probability - 1) < 1e-10, "\(probability)")
        }
        // A t statistic is the root of an F of one degree of freedom.
        let tail = 2 * StudentDistribution(9).upperTail(1.7)
        #expect(Approximate.equal(tail, FDistribution(1, 9).upperTail(1.7 * 1.7), 1e-13))
    }
}
