import MetaLearners
import MetaLearnersCore
import Testing
import _TestSupport

@testable import CausalAnalysis

@Suite("Estimators of average effects against independent implementations")
struct EstimatorReferenceTests {
    static func study(_ entry: Fixture) throws -> CausalStudy {
        let weights = try entry.numbers("weights")
        let clusters = try entry.integers("clusters")
        let propensities = try entry.lists("propensities")
        let dataset = try CausalDataset(
            covariates: Table([
                Column("x1", try entry.numbers("x1")), Column("x2", try entry.numbers("x2")),
                Column("level", categories: try entry.texts("level")),
            ]),
            treatment: Treatment(
                arms: entry.integers("arms"), labels: propensities.indices.map { "arm \($0)" }),
            outcome: Outcome(entry.numbers("outcome")), weights: weights.isEmpty ? nil : weights,
            clusters: clusters.isEmpty ? nil : clusters)
        return try CausalStudy(
            dataset,
            given: GivenColumns(propensities: propensities, armMeans: entry.lists("arm_outcomes")))
    }

    private static var cases: [Fixture] {
        get throws { try Fixture("estimators").part("cases").parts() }
    }

    /// Holds the table of an analysis against the numbers of each arm.
    ///
    /// - Parameter areNormal: whether the reference takes the normal distribution for intervals and p-values, where ours is a Student one.
    private func compare(
        _ result: AnalysisResult, _ known: [Fixture], _ what: String, tolerance: Double = 1e-8,
        areNormal: Bool = false
    ) throws {
        let table = try #require(result.table(named: "estimates"))
        #expect(table.rows.count == known.count, "\(what)")
        for (row, entry) in known.enumerated() {
            let own = ["estimate", "std_error", "lower", "upper", "p_value"].map { table.numbers($0)[row] }
            if areNormal {
                let student = try #require(
                    StudentInterval(own[0], stdError: own[1], lower: own[2], upper: own[3]), "\(what)")
                #expect(abs(student.pValue - own[4]) < 1e-6, "\(what)")
                #expect(own[4] > (try entry.number("p_value")) - 1e-8, "\(what)")
            }
            for key in ["estimate", "std_error"] + (areNormal ? [] : ["lower", "upper", "p_value"]) {
                let (value, reference) = (table.numbers(key)[row], try entry.number(key))
                #expect(
                    Approximate.equal(value, reference, tolerance), "\(what), \(key): \(value), \(reference)")
            }
        }
    }

    private func compare<Estimator: EffectEstimator>(
        _ estimator: Estimator, _ study: CausalStudy, _ entry: Fixture, _ what: String,
        tolerance: Double = 1e-8, areNormal: Bool = true
    ) throws {
        for estimand in Estimator.estimands {
            guard let known = try? entry.part(estimand.rawValue) else { continue }
            var own = estimator
            own.question.estimand = estimand
            try compare(
                own.run(study), known.parts(), "\(what), \(estimand)", tolerance: tolerance,
                areNormal: areNormal)
        }
    }

    @Test("Difference in means: scipy's Welch test, and statsmodels with clusters")
    func differenceInMeans() throws {
        for entry in try Self.cases {
            try compare(
                DifferenceInMeans(), Self.study(entry), entry.part("difference_in_means"), entry.text("name"),
                areNormal: false)
        }
    }

    @Test("Inverse probability weighting: statsmodels' weighted regression on the arm, and plain sums")
    func weighting() throws {
        for entry in try Self.cases {
            for (key, form, clip) in [
                ("ipw_hajek", InverseProbabilityWeighting.Form.hajek, 0),
                ("ipw_hajek_clipped", .hajek, 0.2),
                ("ipw_horvitz_thompson", .horvitzThompson, 0),
            ] {
                var estimator = InverseProbabilityWeighting()
                (estimator.form, estimator.clip) = (form, clip)
                #expect(estimator.key == key)
                let what = "\(try entry.text("name")), \(key)"
                try compare(estimator, Self.study(entry), entry.part(key), what)
                // A factor of an arm's own changes no estimate.
                estimator.stabilized = true
                try compare(estimator, Self.study(entry), entry.part(key), what + ", stabilised")
            }
        }
    }

    @Test("AIPW over every population: DoubleML's interactive and partially linear models")
    func aipw() throws {
        for entry in try Self.cases {
            try compare(AIPWAnalysis(), Self.study(entry), entry.part("aipw"), entry.text("name"))
        }
    }

    @Test("TMLE: statsmodels' logistic regression with an offset")
    func tmle() throws {
        for entry in try Self.cases {
            try compare(TMLEAnalysis(), Self.study(entry), entry.part("tmle"), entry.text("name"))
        }
    }

    @Test("OLS: coefficients, every kind of errors and effects over every population as statsmodels has them")
    func ols() throws {
        for entry in try Self.cases {
            let study = try Self.study(entry)
            for adjustment in OLSAnalysis.Adjustment.allCases {
                let known = try entry.part("ols").part(adjustment.rawValue)
                for errors in CoefficientErrors.allCases {
                    guard let reference = try? known.part(errors.rawValue) else { continue }
                    let what = "\(try entry.text("name")), \(adjustment), \(errors)"
                    var analysis = OLSAnalysis()
                    (analysis.adjustment, analysis.errors) = (adjustment, errors)
                    try compare(analysis, study, reference.part("effects"), what)
                    let result = try analysis.run(study)
                    let table = try #require(result.table(named: "coefficients"))
                    let rows = try reference.part("coefficients").parts()
                    #expect(table.rows.count == rows.count)
                    for (row, coefficient) in rows.enumerated() {
                        #expect(table.column("term")[row].stringValue == (try coefficient.text("term")))
                        for key in ["estimate", "std_error", "lower", "upper", "p_value", "t"] {
                            let (value, number) = (table.numbers(key)[row], try coefficient.number(key))
                            #expect(
                                Approximate.equal(value, number, 1e-8), "\(what), \(key): \(value), \(number)"
                            )
                        }
                    }
                    let rSquared = try #require(result.values["r_squared"]?.doubleValue)
                    #expect(Approximate.equal(rSquared, try reference.number("r_squared"), 1e-10))
                    if study.clusters != nil { #expect(result.values["errors"] == "cluster") }
                }
            }
        }
    }

    @Test("Matching: all pairs compared, and the errors of Abadie and Imbens written out")
    func matching() throws {
        for entry in try Self.cases {
            let study = try Self.study(entry)
            for setting in try entry.part("matching").parts() {
                var analysis = MatchingAnalysis()
                analysis.score = try setting.text("score") == "logit" ? .logit : .propensity
                analysis.replacement = try setting.part("replacement").value == true
                analysis.ratio = Int(try setting.number("ratio"))
                analysis.caliper = try setting.number("caliper")
                analysis.errorNeighbours = Int(try setting.number("neighbours"))
                let what =
                    "\(try entry.text("name")), \(analysis.score), \(analysis.replacement), \(analysis.ratio)"
                try compare(analysis, study, setting.part("effects"), what)
                for estimand in MatchingAnalysis.estimands {
                    guard let known = try? setting.part("effects").part(estimand.rawValue).parts() else {
                        continue
                    }
                    analysis.question.estimand = estimand
                    let result = try analysis.run(study)
                    #expect(result.rowColumns.count == known.count)
                    for (column, arm) in zip(result.rowColumns, known) {
                        #expect(
                            Approximate.equal(
                                shares(column.values), shares(try arm.numbers("weights")), 1e-10),
                            "\(what), \(estimand)")
                    }
                    let unmatched = try #require(result.table(named: "matches")).numbers("unmatched_rows")
                    #expect(try unmatched == known.map { try $0.number("unmatched") })
                }
            }
        }
    }

    private func shares(_ weights: [Double]) -> [Double] {
        let total = weights.reduce(0, +)
        return weights.map { $0 / total }
    }

    @Test(
        "Matching without ties: the weights of R's MatchIt, with and without replacement, ratio and caliper")
    func matchIt() throws {
        let fixture = try Fixture("matchit")
        let arms = try fixture.integers("arms")
        let propensity = try fixture.numbers("propensity")
        let study = try CausalStudy(
            CausalDataset(
                covariates: Table([]), treatment: Treatment(arms: arms, labels: ["0", "1"]),
                outcome: Outcome(fixture.numbers("outcome"))),
            given: GivenColumns(propensities: [propensity]))
        let cases = try fixture.part("cases").parts()
        #expect(cases.count == 10)
        for entry in cases {
            var analysis = MatchingAnalysis()
            analysis.score = try entry.text("score") == "logit" ? .logit : .propensity
            analysis.replacement = try entry.part("replacement").value == true
            analysis.ratio = Int(try entry.number("ratio"))
            analysis.caliper = try entry.number("caliper")
            analysis.question.estimand = try entry.text("estimand") == "att" ? .att : .atc
            let weights = try analysis.weights(study, 1)
            let known = try entry.numbers("weights")
            for arm in [0, 1] as [Int32] {
                let own = arms.indices.filter { arms[$0] == arm }
                #expect(
                    Approximate.equal(
                        shares(own.map { weights[$0] }), shares(own.map { known[$0] }), 1e-10),
                    "\(entry.value.objectValue?.entries.filter { $0.key != "weights" } ?? [])")
            }
            let table = try #require(try analysis.run(study).table(named: "estimates"))
            #expect(Approximate.equal(table.numbers("estimate")[0], try entry.number("estimate"), 1e-10))
        }
    }
}
