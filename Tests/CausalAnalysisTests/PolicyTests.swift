import Foundation
import MetaLearners
import MetaLearnersCore
import Testing
import _TestSupport

@testable import CausalAnalysis

@Suite("Policies")
struct PolicyTests {
    private func study(_ entry: Fixture) throws -> CausalStudy {
        let propensities = try entry.lists("propensities")
        let weights = try entry.numbers("weights")
        let clusters = try entry.integers("clusters")
        let dataset = try CausalDataset(
            covariates: Table([]),
            treatment: Treatment(arms: entry.integers("arms"), labels: propensities.indices.map { "\($0)" }),
            outcome: Outcome(entry.numbers("outcome")), weights: weights.isEmpty ? nil : weights,
            clusters: clusters.isEmpty ? nil : clusters)
        return try CausalStudy(
            dataset,
            given: GivenColumns(
                effects: entry.lists("effects"), propensities: propensities, armMeans: entry.lists("means")))
    }

    // MARK: Other rows

    /// n rows with a covariate, τ = 1 + 0.8x, a trial and true nuisances.
    private func law(_ count: Int, seed: UInt64) throws -> (
        x: [Double], effects: [Double], study: CausalStudy
    ) {
        var stream = RandomStream(seed: seed, path: 0x504F_4C49)
        let x = (0..<count).map { _ in stream.normal() }
        let effects = x.map { 1 + 0.8 * $0 }
        let arms = (0..<count).map { _ in Int32(stream.bernoulli(0.5) ? 1 : 0) }
        let outcome = (0..<count).map { Double(arms[$0]) * effects[$0] + stream.normal() }
        let dataset = try CausalDataset(
            covariates: Table([Column("x", x)]), treatment: Treatment(arms: arms, labels: ["0", "1"]),
            outcome: Outcome(outcome))
        let half = [Double](repeating: 0.5, count: count)
        let study = try CausalStudy(
            dataset,
            given: GivenColumns(
                effects: [effects], propensities: [half, half],
                armMeans: [[Double](repeating: 0, count: count), effects]))
        return (x, effects, study)
    }

    @Test(
        "Where costs go with effects, and training rows have none, the gain of others is that of rows with such effects"
    )
    func costsByRow() throws {
        let training = try law(4000, seed: 1).study
        let (x, effects, _) = try law(3000, seed: 2)
        let costs = x.map { exp(1.5 * $0) }
        for limit in [TreatmentAllocation.Limit.budget(800), .threshold(1)] {
            let allocation = try TreatmentAllocation(effects: [effects], costs: [costs], limit: limit)
            let gain = try #require(
                try TargetingGain.ofTraining(
                    training, allocation, allocation.decisions, of: [effects], limit, costs: nil,
                    byCluster: false, level: 0.95))
            #expect(gain.basis == .similarRows && gain.stdError > 0)
            #expect(abs(gain.estimate - allocation.gain) < 4 * gain.stdError, "\(gain) \(allocation.gain)")
            #expect(gain.stdError < 0.2 * allocation.gain)
        }
    }

    @Test("Equal effects are in one bin, and so are the rows that stand for a treated row")
    func bins() throws {
        let ones = [Double](repeating: 1, count: 1000)
        let halves = EffectBins((0..<1000).map { $0 % 2 == 0 ? 0 : 1 }, weights: ones)
        #expect(halves.count == 2 && halves.weights == [500, 500])
        #expect(halves.bin(of: 1) == 1 && halves.bin(of: 0) == 0 && halves.bin(of: 0.7) == 1)
        #expect(halves.bin(of: -5) == 0 && halves.bin(of: 5) == 1 && halves.bin(of: 0.2) == 0)
        #expect(EffectBins(ones, weights: ones).count == 1)
        #expect(EffectBins([], weights: []).count == 0)
        // A few rows beside large runs go with a neighbour; rows of no weight are in none.
        var mixed = (0..<1000).map { $0 < 600 ? 1.0 : $0 < 610 ? 1.5 : 2 }
        mixed[0] = 0
        let bins = EffectBins(mixed, weights: (0..<1000).map { $0 == 999 ? 0 : 1 })
        #expect(
            bins.count == 2 && bins.codes[999] == -1 && bins.codes[0] == 0 && bins.weights.reduce(0, +) == 999
        )
        let smooth = EffectBins((0..<1000).map { Double($0) }, weights: ones)
        #expect(smooth.count == 20 && smooth.weights.allSatisfy { $0 == 50 })
        for effect in [0.0, 49, 50, 777, 999] { #expect(smooth.bin(of: effect) == Int(effect) / 50) }
    }

    @Test(
        "The gain of whole clusters that share a budget is that of rows with such effects",
        arguments: [0.1, 0.3])
    func clusters(share: Double) throws {
        let training = try law(4000, seed: 11).study
        // Few clusters of very unequal size: large ones do not fit, and small ones fill up.
        var stream = RandomStream(seed: 12, path: 1)
        var effects: [Double] = []
        var units: [Int32] = []
        for unit in 0..<40 {
            let size = [2, 5, 10, 60, 200][stream.integer(below: 5)]
            let level = stream.normal()
            for _ in 0..<size {
                effects.append(1 + 0.8 * (0.7 * level + 0.7 * stream.normal()))
                units.append(Int32(unit))
            }
        }
        let limit = TreatmentAllocation.Limit.share(share)
        let allocation = try TreatmentAllocation(effects: [effects], units: units, limit: limit)
        let gain = try #require(
            try TargetingGain.ofTraining(
                training, allocation, allocation.decisions, of: [effects], limit, costs: [], byCluster: true,
                level: 0.95))
        #expect(gain.basis == .similarRows)
        #expect(abs(gain.estimate - allocation.gain) < 4 * gain.stdError, "\(gain) \(allocation.gain)")
    }

    @Test("That those who are added lose is said where it is more than chance")
    func losesBeyond() throws {
        func sentences(_ effect: (Double) -> Double, seed: UInt64) throws -> [String] {
            var stream = RandomStream(seed: seed, path: 1)
            let x = (0..<1000).map { _ in stream.normal() }
            let arms = (0..<1000).map { _ in Int32(stream.bernoulli(0.5) ? 1 : 0) }
            let outcome = (0..<1000).map { Double(arms[$0]) * effect(x[$0]) + stream.normal() }
            let half = [Double](repeating: 0.5, count: 1000)
            let study = try CausalStudy(
                CausalDataset(
                    covariates: Table([Column("x", x)]),
                    treatment: Treatment(arms: arms, labels: ["0", "1"]),
                    outcome: Outcome(outcome)),
                // What is believed: all gain, the more the larger x.
                given: GivenColumns(
                    effects: [x.map { 5 + $0 }], propensities: [half, half],
                    armMeans: [[Double](repeating: 0, count: 1000), x.map(effect)]))
            return try BudgetCurveAnalysis().run(study).findings
        }
        let harmed = try sentences({ $0 > 0 ? 1 : -1 }, seed: 1)
        #expect(harmed.contains { $0.contains("those who are added lose") })
        for seed in 2...6 {
            let same = try sentences({ _ in 0.1 }, seed: UInt64(seed))
            #expect(!same.contains { $0.contains("those who are added lose") })
        }
    }

    @Test(
        "Where large units do not fit, the last slope is where the room ends, and serves other rows as their threshold"
    )
    func lastSlope() throws {
        // Ten rows of cost 1 with slopes 10, 9, …, 1, but the fourth costs 5: three are treated, then smaller ones fill up.
        let slopes = (0..<10).map { Double(10 - $0) }
        let costs = (0..<10).map { $0 == 3 ? 5.0 : 1.0 }
        let effects = zip(slopes, costs).map { $0 * $1 }
        let allocation = try TreatmentAllocation(effects: [effects], costs: [costs], limit: .budget(5))
        #expect(allocation.decisions == [1, 1, 1, 0, 1, 1, 0, 0, 0, 0])
        #expect(allocation.lastSlope == 8)
        let first = try TreatmentAllocation(effects: [[50, 3]], costs: [[5, 1]], limit: .budget(2))
        #expect(first.decisions == [0, 1] && first.lastSlope == 10)
        #expect(try TreatmentAllocation(effects: [[50]], costs: [[1]], limit: .budget(2)).lastSlope == 50)
        // Over budgets it never rises.
        var stream = RandomStream(seed: 4, path: 1)
        let gains = (0..<200).map { _ in stream.normal() + 0.5 }
        let prices = (0..<200).map { _ in [1, 1.1, 10, 13][stream.integer(below: 4)] }
        var last = Double.infinity
        for budget in stride(from: 10.0, through: 1000, by: 10) {
            let slope = try TreatmentAllocation(effects: [gains], costs: [prices], limit: .budget(budget))
                .lastSlope
            #expect(slope <= last)
            last = slope
        }
    }

    // MARK: Allocations

    @Test("The bound is the linear programme's, no whole allocation passes it, and none is far below")
    func linearProgramme() throws {
        for entry in try Fixture("policies").part("allocations").parts() {
            let (effects, costs) = (try entry.lists("effects"), try entry.lists("costs"))
            let budget = try entry.number("budget")
            let allocation = try TreatmentAllocation(effects: effects, costs: costs, limit: .budget(budget))
            #expect(Approximate.equal(allocation.bound, try entry.number("bound"), 1e-9))
            #expect(allocation.cost <= budget * (1 + 1e-9) && allocation.gain <= allocation.bound + 1e-9)
            // What is missing is at most what the one unit would have brought that did not fit.
            let largest = effects.flatMap { $0 }.max() ?? 0
            #expect(allocation.gain >= allocation.bound - largest)
            if let best = try? entry.number("best") { #expect(allocation.gain <= best + 1e-9) }
            var spent = 0.0
            for (row, arm) in allocation.decisions.enumerated() where arm > 0 {
                spent += costs[Int(arm) - 1][row]
            }
            #expect(Approximate.equal(spent, allocation.cost, 1e-12))
        }
    }

    @Test("Without costs a budget of n treats the n rows with the largest effects, equal ones in their order")
    func topRows() throws {
        let effects = [0.5, 2, -1, 2, 0.5, 0.5]
        let three = try TreatmentAllocation(effects: [effects], limit: .budget(3))
        #expect(three.decisions == [1, 1, 0, 1, 0, 0] && three.ranks == [3, 1, 6, 2, 4, 5])
        #expect(three.gain == 4.5 && three.cost == 3 && three.treatedCount == 3 && three.lastSlope == 0.5)
        let share = try TreatmentAllocation(effects: [effects], limit: .share(0.34))
        #expect(share.decisions == [0, 1, 0, 1, 0, 0])
        // Nobody is treated who loses, whatever the budget.
        #expect(
            try TreatmentAllocation(effects: [effects], limit: .budget(100)).decisions == [1, 1, 0, 1, 1, 1])
        #expect(
            try TreatmentAllocation(effects: [effects], limit: .threshold(0.5)).decisions == [
                0, 1, 0, 1, 0, 0,
            ])
        #expect(
            try TreatmentAllocation(effects: [effects], limit: .threshold(-2)).decisions == [
                1, 1, 1, 1, 1, 1,
            ])
    }

    @Test("Of several arms of one cost the best is given; a threshold is a price")
    func arms() throws {
        let effects = [[1.0, 2, -1, 0.5], [3.0, 1, -2, 0.75]]
        #expect(try TreatmentAllocation(effects: effects, limit: .threshold(0)).decisions == [2, 1, 0, 2])
        let costs = [[1.0, 1, 1, 1], [4.0, 4, 4, 4]]
        // Row 0 gains 1 for 1, and 2 more for 3 more: above a price of 2/3 the cheap arm is enough.
        #expect(
            try TreatmentAllocation(effects: effects, costs: costs, limit: .threshold(0.7)).decisions == [
                1, 1, 0, 0,
            ])
        #expect(
            try TreatmentAllocation(effects: effects, costs: costs, limit: .threshold(0.6)).decisions == [
                2, 1, 0, 0,
            ])
    }

    @Test("Clusters are treated as a whole")
    func clusters() throws {
        let effects = [[4.0, -1, 1, 1, 1, 5]]
        let units: [Int32] = [0, 0, 1, 1, 1, 2]
        let allocation = try TreatmentAllocation(effects: effects, units: units, limit: .budget(3))
        #expect(allocation.decisions == [1, 1, 0, 0, 0, 1] && allocation.ranks == [2, 2, 3, 3, 3, 1])
        // Two rows are too much for what is left after the first; three are as well.
        #expect(
            try TreatmentAllocation(effects: effects, units: units, limit: .budget(2)).decisions == [
                0, 0, 0, 0, 0, 1,
            ])
    }

    @Test("A budget below the cheapest unit and an empty slice are errors")
    func refusals() throws {
        let effects = [[1.0, 2, 3]]
        for limit in [TreatmentAllocation.Limit.budget(0.5), .share(0.1)] {
            let error = #expect(throws: MetaLearnersError.self) {
                try TreatmentAllocation(effects: effects, limit: limit)
            }
            #expect(error?.kind == .invalidArgument)
        }
        let table = try Table([Column("cost", [1, 0, 2]), Column("where", categories: ["a", "b", "c"])])
        for cost in ["cost", "where", "costs"] {
            let costs = try PolicyCosts(.string(cost), at: .root)
            let error = #expect(throws: MetaLearnersError.self) {
                try costs.resolved(in: table, armLabels: ["0", "1"])
            }
            #expect(error?.kind == .invalidData)
        }
        #expect(throws: MetaLearnersError.self) { try PolicyCosts(.number(0), at: .root) }
        #expect(throws: MetaLearnersError.self) {
            try PolicyCosts(["a": 1], at: .root).resolved(in: table, armLabels: ["0", "a", "b"])
        }
        #expect(throws: MetaLearnersError.self) {
            try PolicyValueAnalysis(["share": 0.2, "threshold": 1])
        }
    }

    // MARK: Values

    @Test("Values and gains of a policy agree with NumPy, doubly robust and by inverse probabilities")
    func values() throws {
        for entry in try Fixture("policies").part("values").parts() {
            let result = try PolicyValueAnalysis().run(study(entry))
            let decisions = try #require(result.rowColumns.first { $0.name == "decision" })
            #expect(decisions.values == (try entry.numbers("decisions")))
            let expected = try entry.part("expected")
            for (table, column, names) in [
                ("values", "policy", ["policy": "policy", "nobody": "nobody", "random": "random"]),
                ("gains", "over", ["nobody": "gain_nobody", "random": "gain_random"]),
            ] {
                let rows = try #require(result.table(named: table))
                var compared = 0
                for index in rows.rows.indices {
                    guard let name = names[rows.column(column)[index].stringValue ?? ""] else { continue }
                    let known = try expected.part(name).numbers(
                        rows.column("method")[index].stringValue ?? "")
                    #expect(Approximate.equal(rows.numbers("estimate")[index], known[0], 1e-9), "\(name)")
                    #expect(Approximate.equal(rows.numbers("std_error")[index], known[1], 1e-9), "\(name)")
                    compared += 1
                }
                #expect(compared == names.count * 2)
            }
            #expect(result.findings.count >= 3 && !result.assumptions.isEmpty)
        }
    }

    @Test("The curve ends where everybody is treated who gains, and its points are the values of budgets")
    func curve() throws {
        let entry = try #require(try Fixture("policies").part("values").parts().last)
        let study = try study(entry)
        let curve = try BudgetCurveAnalysis().run(study)
        let table = try #require(curve.table(named: "curve"))
        #expect(table.rows.count == 20)
        let all = try PolicyValueAnalysis().run(study)
        let gain = try #require(all.table(named: "gains")?.numbers("estimate").first)
        #expect(Approximate.equal(table.numbers("estimate").last ?? 0, gain, 1e-12))
        #expect(table.numbers("regret").last == 0)
        var some = PolicyValueAnalysis()
        some.budgetPerRow = table.numbers("budget_per_row")[6]
        let limited = try some.run(study)
        #expect(
            Approximate.equal(
                limited.table(named: "gains")?.numbers("estimate").first ?? 0, table.numbers("estimate")[6],
                1e-12))
        // With the true effects as effects nothing is lost against the best.
        let truth = try study.replacing(GivenColumns(trueEffects: study.effects))
        let regret = try #require(try BudgetCurveAnalysis().run(truth).table(named: "curve")).numbers(
            "true_regret")
        #expect(regret.allSatisfy { abs($0) < 1e-12 })
    }

    @Test("A policy that treats nobody says so")
    func nobody() throws {
        let entry = try #require(try Fixture("policies").part("values").parts().first)
        var analysis = PolicyValueAnalysis()
        analysis.threshold = 1e9
        let result = try analysis.run(study(entry))
        #expect(result.findings.count == 1 && result.findings[0].contains("nobody"))
        #expect(result.table(named: "gains")?.numbers("estimate").first == 0)
    }

    @Test("Intervals of gains cover the true gain of the rule as often as they say")
    func coverage() throws {
        func study(_ rows: Int, _ seed: Int) throws -> (study: CausalStudy, truth: Double) {
            var law = BinaryOutcomeLaw()
            (law.rows, law.seed, law.slope) = (rows, seed, 1.5)
            let data = try GeneratedData(law)
            let gain = data.effects[0].reduce(0) { $0 + max($1, 0) } / Double(rows)
            let given = GivenColumns(
                effects: data.effects, propensities: data.propensities, armMeans: data.means)
            return (try CausalStudy(data.dataset(), given: given), gain)
        }
        let truth = try study(40_000, 9_999).truth
        var covered = ["dr": 0, "ipw": 0]
        let draws = 300
        for seed in 1...draws {
            let gains = try #require(
                try PolicyValueAnalysis().run(study(300, seed).study).table(named: "gains"))
            for index in gains.rows.indices where gains.column("over")[index] == "nobody" {
                let method = gains.column("method")[index].stringValue ?? ""
                if gains.numbers("lower")[index] <= truth, truth <= gains.numbers("upper")[index] {
                    covered[method, default: 0] += 1
                }
            }
        }
        // Of 300 draws of probability 0.95, within 3 standard deviations.
        for (method, count) in covered { #expect((274...296).contains(count), "\(method): \(count)") }
    }

    @Test("Codes of units that no row has take no part, whatever rows cost")
    func unitsWithoutRows() throws {
        let effects = [[1.0, 2, 3, 4]]
        let costs = [[1.0, 1, 2, 2]]
        let dense = try TreatmentAllocation(
            effects: effects, costs: costs, units: [0, 0, 1, 2], limit: .budget(4))
        let gaps = try TreatmentAllocation(
            effects: effects, costs: costs, units: [1, 1, 4, 7], limit: .budget(4))
        #expect(gaps.decisions == dense.decisions && gaps.ranks == dense.ranks)
        #expect(dense.decisions.contains(1))
    }
}
