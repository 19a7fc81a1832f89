import CausalAnalysis
import MetaLearnersCore
import Testing
import _TestSupport

@Suite("Laws with a known truth")
struct LawTests {
    private func draw(_ request: SpecValue, threads: Int = 2) throws -> GeneratedData {
        let law = try LawRegistry.default.law(request)
        func open(_ law: some DataLaw) throws -> GeneratedData {
            try GeneratedData(law, ExecutionOptions(threads: threads))
        }
        return try open(law)
    }

    @Test("True functions agree with NumPy and SciPy on stored covariates")
    func reference() throws {
        let cases = try Fixture("laws").part("cases").parts()
        var seen: Set<String> = []
        for entry in cases {
            let name = try entry.text("law")
            seen.insert(name)
            var request = try #require(try entry.part("parameters").value.objectValue)
            request["law"] = .string(name)
            let law = try LawRegistry.default.law(.object(request))
            let constants = try #require(try entry.part("constants").value.objectValue).entries.map {
                LawConstant($0, $1.arrayValue?.compactMap(\.doubleValue) ?? [])
            }
            let cluster = try entry.numbers("cluster")
            let (propensities, means) = (try entry.lists("propensities"), try entry.lists("means"))
            for (row, x) in try entry.lists("x").enumerated() {
                let truth = law.truth(x, constants, cluster: cluster)
                #expect(Approximate.equal(truth.propensities, propensities[row], 1e-12), "\(name) row \(row)")
                #expect(Approximate.equal(truth.means, means[row], 1e-12), "\(name) row \(row)")
            }
        }
        #expect(seen == Set(LawRegistry.default.laws.map { $0.name }))
    }

    @Test("Threads change nothing, and more rows begin with the same ones")
    func prefix() throws {
        for type in LawRegistry.default.laws {
            let short = try draw(["law": .string(type.name), "rows": 700, "seed": 3], threads: 1)
            let long = try draw(["law": .string(type.name), "rows": 9000, "seed": 3], threads: 4)
            for (one, two) in zip(short.table.columns, long.table.columns) {
                #expect(one.name == two.name && one.levels == two.levels)
                #expect(
                    one.values.doubles() == Array(two.values.doubles().prefix(700)),
                    "\(type.name), \(one.name)")
            }
            let other = try draw(["law": .string(type.name), "rows": 700, "seed": 4])
            #expect(
                short.table.column(named: "outcome")?.values.doubles()
                    != other.table.column(named: "outcome")?.values.doubles())
        }
    }

    @Test("Arms and outcomes are drawn by the propensities and means that are told")
    func moments() throws {
        for type in LawRegistry.default.laws {
            let data = try draw(["law": .string(type.name), "rows": 20_000, "seed": 11])
            let arms = try #require(data.table.column(named: "treatment")?.values.doubles())
            let outcome = try #require(data.table.column(named: "outcome")?.values.doubles())
            let isClustered = data.data.cluster != nil
            for arm in data.propensities.indices {
                var (gap, variance) = (0.0, 0.0)
                for row in arms.indices {
                    let share = data.propensities[arm][row]
                    gap += (arms[row] == Double(arm) ? 1 : 0) - share
                    variance += share * (1 - share)
                }
                // Clusters of 20 are drawn together.
                #expect(
                    abs(gap) <= 4.5 * (variance * (isClustered ? 20 : 1)).squareRoot(),
                    "\(type.name), arm \(arm)")
            }
            let residuals = arms.indices.map { outcome[$0] - data.means[Int(arms[$0])][$0] }
            let mean = Approximate.mean(residuals)
            let spread = (residuals.reduce(0) { $0 + $1 * $1 } / Double(residuals.count)).squareRoot()
            #expect(abs(mean) < 4.5 * spread / Double(residuals.count).squareRoot(), "\(type.name)")
            #expect(data.effects.count == data.means.count - 1)
        }
    }

    @Test("Counts have the variance of Poisson, noise the standard deviation that is asked for")
    func noise() throws {
        let counts = try draw(["law": "count_outcome", "rows": 20_000, "effect": 0, "rate": 3])
        let values = try #require(counts.table.column(named: "outcome")?.values.doubles())
        let ratio =
            zip(values, counts.means[0]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) / $1.1 } / 20_000
        #expect(abs(ratio - 1) < 0.05 && values.allSatisfy { $0 >= 0 && $0 == $0.rounded() })
        let loud = try draw(["law": "nie_wager", "rows": 20_000, "setup": "b", "noise": 5])
        let outcome = try #require(loud.table.column(named: "outcome")?.values.doubles())
        let arms = try #require(loud.table.column(named: "treatment")?.values.doubles())
        let squares = outcome.indices.map { pow2(outcome[$0] - loud.means[Int(arms[$0])][$0]) }
        #expect(abs(Approximate.mean(squares).squareRoot() - 5) < 0.15)
    }

    private func pow2(_ x: Double) -> Double { x * x }

    @Test("Clusters are in one arm and share a covariate; a population is not treated")
    func shapes() throws {
        let trial = try draw(["law": "clustered_trial", "rows": 200, "cluster_size": 10])
        let arms = try #require(trial.table.column(named: "treatment")?.values.doubles())
        let first = try #require(trial.table.column(named: "x1")?.values.doubles())
        for row in 0..<200 { #expect(arms[row] == arms[row / 10 * 10] && first[row] == first[row / 10 * 10]) }
        #expect(try trial.dataset().clusters != nil)
        let people = try draw(["law": "scaled_programme", "rows": 500, "sample": "population"])
        #expect(people.table.column(named: "treatment")?.values.doubles().allSatisfy { $0 == 0 } == true)
        #expect(people.table.column(named: "cost")?.values.doubles().allSatisfy { $0 > 0 } == true)
        // The same people as in the trial of that seed: only who is treated differs.
        let same = try draw(["law": "scaled_programme", "rows": 500])
        #expect(same.effects == people.effects)
    }

    @Test("What is drawn can be fitted, and nothing of the truth is a covariate")
    func datasets() throws {
        for type in LawRegistry.default.laws where type.name != "kunzel" {
            let dataset = try draw(["law": .string(type.name), "rows": 300]).dataset()
            #expect(
                dataset.covariates.columns.allSatisfy {
                    !$0.name.hasPrefix("true_") && $0.name != "id" && $0.name != "cost"
                })
        }
    }

    @Test("Laws and parameters that there are not are refused, with the nearest name")
    func refusals() throws {
        let unknown = #expect(throws: MetaLearnersError.self) { try LawRegistry.default.law("nie_wagner") }
        #expect(unknown?.description.contains("nie_wager") == true)
        #expect(throws: MetaLearnersError.self) {
            try LawRegistry.default.law(["law": "kunzel", "setup": 7])
        }
        #expect(throws: MetaLearnersError.self) { try LawRegistry.default.law(["law": "kunzel", "rows": 0]) }
        #expect(throws: MetaLearnersError.self) { try LawRegistry.default.law(["rows": 10]) }
    }
}
