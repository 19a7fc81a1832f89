import CausalAnalysis
import MetaLearnersCore
import Testing
import _TestSupport

@Suite("Checks and sensitivity against independent computations")
struct CheckReferenceTests {
    private func near(_ left: Double, _ right: Double, _ tolerance: Double = 1e-8) -> Bool {
        Approximate.equal(left, right, tolerance)
    }

    private func fixture() throws -> Fixture { try Fixture("checks") }

    /// The small study of the fixture.
    private func study(weighted: Bool, outcome: [Double]? = nil, means: [[Double]]? = nil) throws
        -> CausalStudy
    {
        let part = try fixture().part("study")
        let control = try part.numbers("e").map { 1 - $0 }
        let dataset = try CausalDataset(
            covariates: Table([
                Column("x1", part.numbers("x1")), Column("x2", part.numbers("x2")),
                Column("group", codes: StridedValues(part.integers("group")), levels: ["a", "b", "c"]),
            ]), treatment: Treatment(arms: part.integers("d"), labels: ["no", "yes"]),
            outcome: Outcome(
                outcome ?? part.numbers("y"),
                kind: outcome == nil ? .continuous : .binary(labels: ["0", "1"])),
            weights: weighted ? part.numbers("w") : nil)
        return try CausalStudy(
            dataset,
            given: GivenColumns(
                propensities: [control, part.numbers("e")],
                armMeans: means ?? [part.numbers("m0"), part.numbers("m1")]))
    }

    @Test("The area under the ROC curve is scikit-learn's, with ties and weights")
    func area() throws {
        for entry in try fixture().part("auc").parts() {
            let area = try ROCArea.area(
                entry.numbers("scores"), positive: entry.numbers("positive").map { $0 == 1 },
                weights: entry.numbers("weights"))
            #expect(try near(#require(area), entry.number("auc")))
        }
        #expect(ROCArea.area([1, 2], positive: [true, true], weights: [1, 1]) == nil)
    }

    @Test("Crump's threshold is that of the best set over all thresholds")
    func crump() throws {
        for entry in try fixture().part("crump").parts() {
            let found = try CrumpTrimming(
                entry.numbers("propensity"), weights: entry.numbers("weights"))
            #expect(try near(found.threshold, entry.number("threshold")))
            #expect(try near(found.keptShare, entry.number("kept")))
        }
    }

    @Test("Standardised differences, variance ratios and effective sizes are those of NumPy")
    func balance() throws {
        let part = try fixture().part("balance")
        let result = try BalanceAnalysis().run(study(weighted: true))
        let table = try #require(result.table(named: "balance"))
        let ratios = try #require(result.table(named: "variance_ratios"))
        for entry in try part.part("rows").parts() {
            let words = try entry.text("term").split(separator: " ").map(String.init)
            let level = words.count > 1 ? ["a", "b", "c"][Int(words[1]) ?? 0] : nil
            let row = try #require(
                table.rows.indices.first {
                    table.column("column")[$0] == .string(words[0])
                        && table.column("level")[$0] == (level.map { .string($0) } ?? .null)
                })
            for (key, known) in zip(["raw", "weighted", "overlap", "matched"], try entry.numbers("smd")) {
                #expect(near(table.numbers("smd_\(key)")[row], known), "\(words), \(key)")
            }
            guard level == nil else { continue }
            let own = try #require(ratios.column("column").firstIndex(of: .string(words[0])))
            for (key, known) in zip(["raw", "weighted", "overlap", "matched"], try entry.numbers("ratio")) {
                #expect(near(ratios.numbers("variance_ratio_\(key)")[own], known), "\(words), \(key)")
            }
        }
        let largest = try #require(result.table(named: "largest"))
        for (row, sizes) in try part.lists("effective").enumerated() {
            #expect(largest.numbers("effective_treated")[row] == sizes[0].rounded())
            #expect(largest.numbers("effective_control")[row] == sizes[1].rounded())
        }
    }

    @Test("Robustness values of many t-statistics are sensemakr's")
    func robustnessValues() throws {
        for entry in try fixture().part("robustness_values").parts() {
            let dof = try entry.number("dof")
            let value = try OmittedVariableFormulas.robustnessValue(
                statistic: entry.number("t"), degreesOfFreedom: dof)
            let interval = try OmittedVariableFormulas.robustnessValue(
                statistic: entry.number("t"), degreesOfFreedom: dof,
                critical: StudentDistribution(dof - 1).quantile(0.975))
            #expect(try near(value, entry.number("rv")) && near(interval, entry.number("rv_a")))
        }
    }

    @Test("The linear model's bounds are sensemakr's, for numbers and for all levels of a category together")
    func linearBounds() throws {
        let part = try fixture().part("linear")
        var analysis = OmittedVariableBiasAnalysis()
        analysis.benchmarks = ["x1", "x2", "group"]
        let result = try analysis.run(study(weighted: false))
        let values = try #require(result.table(named: "robustness"))
        for (key, name) in [
            ("estimate", "estimate"), ("std_error", "std_error"), ("partial_r2", "r2"),
            ("robustness_value", "rv"), ("robustness_value_interval", "rv_a"),
        ] {
            #expect(try near(values.numbers(key)[0], part.number(name)), "\(key)")
        }
        let table = try #require(result.table(named: "benchmarks"))
        let known = try part.part("bounds").parts() + part.part("group").parts()
        #expect(known.count == table.rows.count)
        for (row, entry) in known.enumerated() {
            for (key, name) in [
                ("treatment_r2", "r2dz_x"), ("outcome_r2", "r2yz_dx"), ("estimate", "adjusted_estimate"),
                ("std_error", "adjusted_se"), ("lower", "adjusted_lower_CI"),
                ("upper", "adjusted_upper_CI"),
            ] {
                #expect(try near(table.numbers(key)[row], entry.number(name)), "\(row), \(key)")
            }
        }
    }

    @Test("Weighted coefficients, their errors and partial R² are statsmodels'")
    func weightedRegression() throws {
        let known = try fixture().part("linear").part("weighted")
        let part = try fixture().part("study")
        let group = try part.numbers("group")
        let fit = try PartialRegression(
            [
                part.numbers("d"), part.numbers("x1"), part.numbers("x2"), group.map { $0 == 1 ? 1 : 0 },
                group.map { $0 == 2 ? 1 : 0 },
                // All levels and a constant depend on each other: the last one takes no part.
                group.map { $0 == 0 ? 1 : 0 },
            ], part.numbers("y"), weights: part.numbers("w"))
        #expect(try near(fit.coefficients[0], known.number("estimate")))
        #expect(try near(fit.standardError(0), known.number("std_error")))
        #expect(try near(fit.partialRSquared([3, 4]), known.number("r2_group")))
        #expect(try near(fit.partialRSquared([1]), known.number("r2_x1")))
        #expect(fit.coefficients[5] == 0 && fit.partialRSquared([5]) == 0)
    }

    @Test("Bounds and robustness values of the doubly robust effect are DoubleML's")
    func doublyRobust() throws {
        for entry in try fixture().part("doubly_robust").part("cases").parts() {
            var analysis = OmittedVariableBiasAnalysis()
            analysis.correlation = try entry.number("rho")
            analysis.strengths = [try entry.number("strength")]
            let result = try analysis.run(study(weighted: false))
            let bounds = try #require(result.table(named: "bounds"))
            for (key, name) in [("lower_bound", "theta_lower"), ("upper_bound", "theta_upper")] {
                #expect(try near(bounds.numbers(key)[0], entry.number(name)), "\(key)")
            }
            // DoubleML's intervals are normal; ours are a little wider.
            let (lower, upper) = (try entry.number("lower"), try entry.number("upper"))
            let room = 0.05 * (upper - lower)
            #expect((lower - room..<lower).contains(bounds.numbers("lower")[0]))
            #expect(bounds.numbers("upper")[0] > upper && bounds.numbers("upper")[0] < upper + room)
            let values = try #require(result.table(named: "robustness"))
            #expect(try near(values.numbers("robustness_value")[1], entry.number("rv"), 1e-5))
            // At the robustness value of the interval its end is 0.
            analysis.strengths = [values.numbers("robustness_value_interval")[1]]
            let limit = try #require(analysis.run(study(weighted: false)).table(named: "bounds"))
            #expect(abs(limit.numbers("lower")[0]) < 1e-10)
        }
    }

    @Test("The signed-rank test is SciPy's, and its bounds those of independent signs")
    func signedRank() throws {
        for entry in try fixture().part("signed_rank").parts() {
            let test = try #require(try SignedRank(entry.numbers("differences")))
            #expect(try near(test.pValues(gamma: 1).upper, entry.number("p")))
            for bound in try entry.lists("bounds") {
                let values = test.pValues(gamma: bound[0])
                #expect(near(values.lower, bound[1]) && near(values.upper, bound[2]))
            }
            let critical = test.criticalGamma(pValue: 0.05)
            #expect(near(test.pValues(gamma: critical).upper, 0.05, 1e-10) || critical == 1)
        }
        #expect(SignedRank([0, 0]) == nil)
    }

    @Test("Marginal sensitivity bounds are the optima of linear programmes")
    func marginal() throws {
        for entry in try fixture().part("marginal").parts() {
            var analysis = MarginalSensitivityAnalysis()
            analysis.method = try entry.text("method") == "ipw" ? .ipw : .aipw
            analysis.lambdas = [try entry.number("lambda")]
            let table = try #require(try analysis.run(study(weighted: true)).table(named: "bounds"))
            #expect(try near(table.numbers("lower_bound")[0], entry.number("lower")))
            #expect(try near(table.numbers("upper_bound")[0], entry.number("upper")))
        }
    }

    @Test("The risk ratio has the interval of the delta method; published E-values come out")
    func eValue() throws {
        let part = try fixture().part("e_value")
        let study = try study(
            weighted: true, outcome: part.numbers("outcome"),
            means: [part.numbers("p0"), part.numbers("p1")])
        let table = try #require(try EValueAnalysis().run(study).table(named: "e_values"))
        let ratio = try part.number("risk_ratio")
        #expect(near(table.numbers("risk_ratio")[0], ratio))
        // The reference's interval is normal; ours, of Student's distribution, is wider by the same factor on both sides of the logarithm.
        let factors = try ["lower", "upper"].map { key in
            Double.log(table.numbers(key)[0] / ratio) / Double.log(try part.number(key) / ratio)
        }
        #expect(near(factors[0], factors[1]) && factors[0] > 1 && factors[0] < 1.1)
        #expect(near(table.numbers("e_value")[0], ratio + (ratio * (ratio - 1)).squareRoot()))
        // VanderWeele & Ding (2017): maternal breastfeeding and infant death by respiratory infection, RR 3.9 [1.8, 8.7].
        #expect(abs(EValueAnalysis.value(3.9) - 7.26) < 0.005 && abs(EValueAnalysis.value(1.8) - 3) < 1e-12)
        #expect(near(EValueAnalysis.value(1 / 3.9), EValueAnalysis.value(3.9)))
        #expect(EValueAnalysis.value(1) == 1)
    }
}
