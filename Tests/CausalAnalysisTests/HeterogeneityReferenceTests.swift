import MetaLearnersCore
import Testing
import _TestSupport

@testable import CausalAnalysis

@Suite("Heterogeneity against statsmodels")
struct HeterogeneityReferenceTests {
    private static let keys = ["estimate", "std_error", "lower", "upper", "p_value"]

    @Test("The best linear projection is WLS of the scores with HC3 or cluster-robust errors")
    func projection() throws {
        for entry in try HeterogeneityStudy.all() {
            for (known, rows) in try entry.byArm(entry.table(BestLinearProjectionAnalysis(), "coefficients"))
            {
                #expect(
                    rows.map { $0["term"] } == [
                        "(constant)", "x1", "x2", "x3", "region = east", "region = south",
                    ])
                let part = try known.part("projection")
                for key in Self.keys {
                    expectEqual(rows.numbers(key), try part.numbers(key), "\(entry.name), \(key)")
                }
            }
        }
    }

    @Test("The test along the covariates is Wald's of the slopes")
    func slopes() throws {
        for entry in try HeterogeneityStudy.all() where entry.study.clusters == nil {
            for (known, rows) in try entry.byArm(entry.table(HomogeneityTestAnalysis(), "tests")) {
                let part = try known.part("projection")
                expectEqual([rows.numbers("statistic")[0]], [try part.number("wald")], entry.name)
                #expect(rows[0]["degrees_of_freedom"] == .integer(5))
                // Hotelling's: six coefficients, of which five are tested.
                let variance = Double(entry.study.rowWeights.count { $0 > 0 } - 6)
                let denominator = variance - 4
                expectEqual([rows.numbers("denominator_df")[0]], [denominator], entry.name)
                let statistic = rows.numbers("statistic")[0] * denominator / (variance * 5)
                expectEqual(
                    [rows.numbers("p_value")[0]], [FDistribution(5, denominator).upperTail(statistic)],
                    entry.name)
                // Near the chi-square of statsmodels.
                #expect(abs(rows.numbers("p_value")[0] - (try part.number("wald_p_value"))) < 0.05)
            }
        }
    }

    @Test("With fewer than ten clusters for each slope there is a note in place of a test")
    func fewClusters() throws {
        let entry = try #require(try HeterogeneityStudy.all().first { $0.study.clusters != nil })
        let table = try entry.table(HomogeneityTestAnalysis(), "tests")
        #expect(table.column("p_value")[0] == .null)
        #expect(table.column("note")[0].stringValue?.contains("too few") == true)
    }

    @Test("The calibration test is the regression of residuals, with one-sided p-values")
    func calibration() throws {
        for entry in try HeterogeneityStudy.all() {
            for (known, rows) in try entry.byArm(entry.table(CalibrationTestAnalysis(), "calibration")) {
                let part = try known.part("calibration")
                for key in Self.keys {
                    expectEqual(rows.numbers(key), try part.numbers(key), "\(entry.name), \(key)")
                }
            }
        }
    }

    @Test("Sorted groups have the averages, errors and difference of regressions on a constant")
    func groups() throws {
        for entry in try HeterogeneityStudy.all() {
            var analysis = GATESAnalysis()
            analysis.groups = 4
            let result = try analysis.run(entry.study)
            let groups = try entry.byArm(#require(result.table(named: "groups")))
            let differences = try entry.byArm(#require(result.table(named: "differences")))
            for ((known, rows), (_, difference)) in zip(groups, differences) {
                let part = try known.part("groups")
                expectEqual(rows.numbers("estimate"), try part.numbers("estimate"), entry.name)
                expectEqual(rows.numbers("std_error"), try part.numbers("std_error"), entry.name)
                expectEqual(difference.numbers("estimate"), [try part.number("difference")], entry.name)
                expectEqual(
                    difference.numbers("std_error"), [try part.number("difference_std_error")], entry.name)
            }
            var same = GroupEffectsAnalysis()
            same.groups = 4
            let grouped = try same.run(entry.study)
            #expect(grouped.table(named: "groups")?.rows == result.table(named: "groups")?.rows)
            for (index, (known, rows)) in try entry.byArm(#require(grouped.table(named: "tests")))
                .enumerated()
            {
                let part = try known.part("groups")
                #expect(grouped.rowColumns[index].values == (try part.numbers("codes")))
                guard entry.study.clusters == nil else { continue }
                expectEqual(rows.numbers("statistic"), [try part.number("equality")], entry.name)
            }
        }
    }
}
