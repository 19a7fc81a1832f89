import MetaLearnersCore
import Testing

@testable import CausalAnalysis

/// How well variances are known, and the tests and intervals that take account of it.
@Suite struct VarianceTests {
    private func normals(_ count: Int, seed: UInt64) -> [Double] {
        var stream = RandomStream(seed: seed)
        return (0..<count).map { _ in (0..<12).reduce(-6.0) { sum, _ in sum + stream.uniform() } }
    }

    private func estimate(_ values: [Double], clusters: [Int32]? = nil) -> NormalEstimate {
        let ones = [Double](repeating: 1, count: values.count)
        return NormalEstimate(scores: values, shares: ones, weights: ones, clusters: clusters)
    }

    @Test(
        "a few large influences leave few degrees of freedom, and no more than a mean's Student distribution has"
    )
    func degreesOfFreedom() throws {
        // The formula as it stands, of influences of any size.
        for unit in [1, 1e-100, 1e100] {
            let influences = normals(200, seed: 3).map { unit * $0 * $0 * $0 }
            let squares = influences.reduce(0) { $0 + ($1 / unit) * ($1 / unit) }
            let fourths = influences.reduce(0) { sum, each in
                let square = (each / unit) * (each / unit)
                return sum + square * square
            }
            let degrees = try #require(VarianceSpread(influences).degreesOfFreedom)
            let expected = 2 * squares * squares / (fourths - squares * squares / 200)
            #expect(abs(degrees / expected - 1) < 1e-9)
        }
        #expect(VarianceSpread([1, -1, 1, -1]).degreesOfFreedom == 3)
        #expect(VarianceSpread([0, 0, 0]).degreesOfFreedom == nil)
        #expect(VarianceSpread([5]).degreesOfFreedom == nil)
        let many = try #require(estimate(normals(20_000, seed: 4)).degreesOfFreedom)
        #expect(many > 17_000 && many < 20_000)
        // Ten rows in a thousand carry the variance.
        let rare = normals(1000, seed: 5).enumerated().map { $1 * ($0 < 10 ? 100 : 1) }
        let few = try #require(estimate(rare).degreesOfFreedom)
        #expect(few > 3 && few < 15)
    }

    @Test("intervals of the mean of a few clusters hold it as often as they say")
    func fewClusters() {
        var (held, heldByNormal) = (0, 0)
        for seed in 1...1000 as ClosedRange<UInt64> {
            let shifts = normals(8, seed: seed)
            let estimate = estimate(
                (0..<80).map { shifts[$0 / 10] }, clusters: (0..<80).map { Int32($0 / 10) })
            let (lower, upper) = estimate.interval(level: 0.95)
            if lower <= 0, upper >= 0 { held += 1 }
            if abs(estimate.estimate) < 1.96 * estimate.stdError { heldByNormal += 1 }
        }
        // 950 are due; the normal distribution holds about 910.
        #expect(held > 932 && held < 975)
        #expect(heldByNormal < 932)
    }

    @Test("groups of a few rows differ by chance as often as the test of their equality says")
    func manyGroups() throws {
        let (rows, groups) = (480, 40)
        var (welch, chiSquare) = (0, 0)
        for seed in 1...300 as ClosedRange<UInt64> {
            let means = GroupMeans(
                normals(rows, seed: seed), groups: (0..<rows).map { Int32($0 % groups) }, count: groups,
                weights: [Double](repeating: 1, count: rows), clusters: nil)
            let test = try #require(means.equality())
            #expect(test.degreesOfFreedom == groups - 1)
            if test.pValue < 0.05 { welch += 1 }
            if ChiSquareDistribution(Double(groups - 1)).upperTail(test.statistic) < 0.05 { chiSquare += 1 }
        }
        // 15 are due.
        #expect(welch > 3 && welch < 32)
        #expect(chiSquare > 60)
    }

    @Test("groups that share a few clusters are compared by Hotelling's test")
    func sharedClusters() throws {
        var (hotelling, chiSquare) = (0, 0)
        for seed in 1...300 as ClosedRange<UInt64> {
            let (rows, groups) = (600, 5)
            let shifts = normals(75, seed: seed)
            let noise = normals(rows, seed: 1000 + seed)
            let clusters = (0..<rows).map { Int32($0 / 40) }
            let codes = (0..<rows).map { Int32($0 % groups) }
            let values = (0..<rows).map { noise[$0] + shifts[Int(clusters[$0]) * groups + Int(codes[$0])] }
            let means = GroupMeans(
                values, groups: codes, count: groups, weights: [Double](repeating: 1, count: rows),
                clusters: clusters)
            let test = try #require(means.equality())
            #expect(test.denominator == 14 - 4 + 1)
            if test.pValue < 0.05 { hotelling += 1 }
            if ChiSquareDistribution(4).upperTail(test.statistic) < 0.05 { chiSquare += 1 }
        }
        #expect(hotelling > 3 && hotelling < 32)
        #expect(chiSquare > 40)
    }

    @Test("groups of clusters of their own are compared by Welch's test, also one without variance")
    func nestedClusters() throws {
        var welch = 0
        for seed in 1...300 as ClosedRange<UInt64> {
            let shifts = normals(50, seed: seed)
            let noise = normals(500, seed: 1000 + seed)
            let clusters = (0..<500).map { Int32($0 / 10) }
            let means = GroupMeans(
                (0..<500).map { noise[$0] + shifts[Int(clusters[$0])] }, groups: clusters.map { $0 / 10 },
                count: 5, weights: [Double](repeating: 1, count: 500), clusters: clusters)
            if try #require(means.equality()).pValue < 0.05 { welch += 1 }
        }
        #expect(welch > 3 && welch < 32)
        let values = [Double](repeating: 2, count: 20) + normals(20, seed: 1)
        let means = GroupMeans(
            values, groups: (0..<40).map { Int32($0 / 20) }, count: 2,
            weights: [Double](repeating: 1, count: 40), clusters: nil)
        let test = try #require(means.equality())
        #expect(abs(test.denominator - 19) < 1e-9)
        // Student's test that the mean of the others is 2.
        let estimate = try #require(means.estimates[1])
        let statistic = abs(estimate.estimate - 2) / estimate.stdError
        #expect(abs(test.pValue - 2 * StudentDistribution(19).upperTail(statistic)) < 1e-9)
    }

    @Test("the difference of groups that share a few clusters has no more degrees of freedom than these")
    func sharedDifference() throws {
        for seed in 1...50 as ClosedRange<UInt64> {
            let means = GroupMeans(
                normals(100, seed: seed), groups: (0..<100).map { Int32($0 % 2) }, count: 2,
                weights: [Double](repeating: 1, count: 100), clusters: (0..<100).map { Int32($0 / 20) })
            let degrees = try #require(means.difference(1, 0)?.degreesOfFreedom)
            #expect(degrees <= 4)
        }
    }

    @Test("Welch's test of means is that of his paper: by hand, for three groups")
    func welch() throws {
        let groups = [[3.1, 2.0, 4.4, 3.9], [5.0, 7.5, 6.1, 4.2, 9.9], [1.0, 2.2, 1.4, 0.3, 2.6, 1.9]]
        let values = groups.flatMap { $0 }
        let codes = groups.indices.flatMap { group in groups[group].map { _ in Int32(group) } }
        let means = GroupMeans(
            values, groups: codes, count: 3, weights: [Double](repeating: 1, count: values.count),
            clusters: nil)
        let test = try #require(means.equality())
        // By `anova_oneway(groups, use_var="unequal")` of statsmodels.
        #expect(abs(test.pValue - 0.006916065257440161) < 1e-9)
        #expect(abs(test.denominator - 6.463848061634436) < 1e-6)
    }

    @Test("rows that weigh more than can be squared have an effective size")
    func largeWeights() {
        var moments = WeightedMoments()
        for weight in [1e160, 1e160, 1] { moments.add(1, weight: weight) }
        #expect(abs(moments.effectiveSize - 2) < 1e-9)
        moments.add(2, weight: .infinity)
        #expect(moments.effectiveSize == 1)
        var few = WeightedMoments()
        for weight in [1e-170, 3e-170, 2e-170] { few.add(1, weight: weight) }
        #expect(abs(few.effectiveSize - 36.0 / 14) < 1e-9)
    }
}
