import MetaLearnersCore

/// Who gets which arm, where not everybody can have the best: by a threshold, for a share of the rows, or within a budget.
///
/// Each unit (a row, or a cluster that is treated as a whole) has a gain and a cost for every arm. Of these only the upper convex
/// hull from (0, 0) matters (Sverdrup, Wu, Athey & Wager 2023, arXiv 2306.11979): the steps along it, each to an arm that costs
/// more, with the gain per unit of cost as their slope. Steps are taken in the order of their slopes, equal ones in the order of
/// rows. That is the solution of the linear programme up to the last unit, so that no allocation within the budget gains
/// more than `bound`. Complexity: O(n K log(n K)).
public struct TreatmentAllocation: Sendable {
    /// What limits treatment.
    public enum Limit: Sendable, Equatable {
        /// Each unit gets the arm with the largest τ − t·c: those whose gain per unit of cost is above t.
        case threshold(Double)
        /// At most this share of the rows (by weight), whatever it costs, each with its best arm; nobody whose gain is not above 0.
        case share(Double)
        /// At most this cost in all; nobody whose gain is not above 0.
        case budget(Double)
    }

    /// The arm of each row, 0 for the control.
    public let decisions: [Int32]
    /// The place of each row's unit in the order of the slopes of first steps, from 1.
    public let ranks: [Int32]
    /// Σ w τ over the rows that are treated, each with the effect of its arm.
    public let gain: Double
    /// Σ w c over them.
    public let cost: Double
    /// Σ w over them.
    public let treatedWeight: Double
    /// How many rows are treated.
    public let treatedCount: Int
    /// The largest gain that any allocation within the limit could have, by the effects: that of the linear programme, in which
    /// one unit may be treated in part.
    public let bound: Double
    /// What one more unit of budget would bring: the gain per unit of cost of the last step that was taken before the first that did not fit, or
    /// of that one, where it was the first of all. With this as the threshold the same rule serves other rows. (Smaller units
    /// that fill up what is left of the room have flatter steps.) NaN where nobody is treated.
    public let lastSlope: Double

    /// Allocates treatment.
    ///
    /// - Parameters:
    ///   - effects: τ_k for each arm but the control, a finite number for each row.
    ///   - costs: the same for costs, above 0; nil where every treated row costs 1.
    ///   - weights: how much each row counts; nil for 1.
    ///   - units: codes from 0 of the units that are treated as a whole; nil where each row is one.
    ///   - limit: what limits treatment.
    /// - Throws: `invalidArgument` for a budget below the cheapest unit or a share of less than one unit.
    public init(
        effects: [[Double]], costs: [[Double]]? = nil, weights: [Double]? = nil, units: [Int32]? = nil,
        limit: Limit
    ) throws(MetaLearnersError) {
        var steps = AllocationSteps(effects, costs: limit.ignoresCosts ? nil : costs, weights, units)
        steps.sort()
        self.init(try steps.taken(within: limit), steps, effects, costs, weights, units)
    }

    init(
        _ taken: AllocationSteps.Taken, _ steps: AllocationSteps, _ effects: [[Double]],
        _ costs: [[Double]]?, _ weights: [Double]?, _ units: [Int32]?
    ) {
        let rows = effects.first?.count ?? 0
        let unitRanks = steps.ranks()
        var decisions = [Int32](repeating: 0, count: rows)
        var ranks = decisions
        var (gain, cost, treated, count) = (0.0, 0.0, 0.0, 0)
        for row in 0..<rows {
            let unit = units.map { Int($0[row]) } ?? row
            ranks[row] = unitRanks[unit]
            let arm = taken.arms[unit]
            guard arm > 0 else { continue }
            decisions[row] = arm
            let weight = weights?[row] ?? 1
            gain += weight * effects[Int(arm) - 1][row]
            cost += weight * (costs?[Int(arm) - 1][row] ?? 1)
            treated += weight
            count += 1
        }
        self.decisions = decisions
        self.ranks = ranks
        self.gain = gain
        self.cost = cost
        treatedWeight = treated
        treatedCount = count
        bound = max(taken.bound, gain)
        lastSlope = taken.lastSlope
    }
}

extension TreatmentAllocation.Limit {
    var ignoresCosts: Bool { if case .share = self { true } else { false } }
}

/// The steps along the hulls of all units.
struct AllocationSteps {
    /// From the arm before on a unit's hull to this arm.
    struct Step {
        let slope: Double
        let unit: Int32
        let arm: Int32
        let cost: Double
        let isFirst: Bool
    }

    /// What was taken of them.
    struct Taken {
        var arms: [Int32]
        var bound = 0.0
        var lastSlope = Double.nan
        var cost = 0.0
    }

    private(set) var steps: [Step] = []
    /// The weight of each unit, and how many rows it has.
    let weights: [Double]
    private let cheapest: Double

    /// Makes the steps: in the order of units, for each along its hull.
    init(_ effects: [[Double]], costs: [[Double]]?, _ rowWeights: [Double]?, _ units: [Int32]?) {
        let rows = effects.first?.count ?? 0
        let count = units.map { Int(($0.max() ?? -1)) + 1 } ?? rows
        let (gains, prices, unitWeights) = Self.means(effects, costs, rowWeights, units, count)
        weights = unitWeights
        var least = Double.infinity
        steps.reserveCapacity(count)
        var hull: [(arm: Int32, cost: Double, gain: Double)] = []
        // Codes of units may leave numbers out: nobody is to be treated there.
        var hasRows = [Bool](repeating: units == nil, count: count)
        for unit in units ?? [] { hasRows[Int(unit)] = true }
        for unit in 0..<count where hasRows[unit] {
            if effects.count == 1 {
                let price = prices?[0][unit] ?? 1
                least = min(least, unitWeights[unit] > 0 ? price * unitWeights[unit] : .infinity)
                steps.append(
                    Step(
                        slope: gains[0][unit] / price, unit: Int32(unit), arm: 1,
                        cost: price * unitWeights[unit], isFirst: true))
                continue
            }
            hull.removeAll(keepingCapacity: true)
            let arms = effects.indices.map { (Int32($0 + 1), prices?[$0][unit] ?? 1, gains[$0][unit]) }
            // Of arms of one cost the best comes first, of equal ones the first.
            for arm in arms.sorted(by: { ($0.1, -$0.2, $0.0) < ($1.1, -$1.2, $1.0) }) {
                if let last = hull.last, last.cost == arm.1 { continue }
                while let last = hull.last {
                    let before = hull.count > 1 ? hull[hull.count - 2] : (arm: 0, cost: 0, gain: 0)
                    let slope = (last.gain - before.gain) / (last.cost - before.cost)
                    guard (arm.2 - last.gain) / (arm.1 - last.cost) >= slope else { break }
                    hull.removeLast()
                }
                hull.append(arm)
            }
            var before = (arm: Int32(0), cost: 0.0, gain: 0.0)
            for step in hull {
                least = min(least, unitWeights[unit] > 0 ? step.cost * unitWeights[unit] : .infinity)
                steps.append(
                    Step(
                        slope: (step.gain - before.gain) / (step.cost - before.cost), unit: Int32(unit),
                        arm: step.arm, cost: (step.cost - before.cost) * unitWeights[unit],
                        isFirst: before.arm == 0))
                before = step
            }
        }
        cheapest = least
    }

    /// Sorts the steps: the steepest first, equal ones in the order of units. The slopes of a unit fall, so its steps stay in order.
    mutating func sort() {
        var keys = steps.indices.map { (slope: steps[$0].slope, index: Int32($0)) }
        keys.sort { $0.slope != $1.slope ? $0.slope > $1.slope : $0.index < $1.index }
        steps = keys.map { steps[Int($0.index)] }
    }

    /// The place of each unit's first step among the first steps, from 1.
    func ranks() -> [Int32] {
        var ranks = [Int32](repeating: 0, count: weights.count)
        var next: Int32 = 1
        for step in steps where step.isFirst {
            ranks[Int(step.unit)] = next
            next += 1
        }
        return ranks
    }

    /// Takes steps in their order up to a limit.
    func taken(within limit: TreatmentAllocation.Limit) throws(MetaLearnersError) -> Taken {
        switch limit {
        case .threshold(let threshold):
            var taken = Taken(arms: [Int32](repeating: 0, count: weights.count))
            for step in steps {
                guard step.slope > threshold else { break }
                taken.take(step)
            }
            return taken
        case .share(let share):
            let room = share * weights.reduce(0, +)
            let least = weights.lazy.filter { $0 > 0 }.min() ?? 0
            guard room >= least * (1 - 1e-9) else {
                throw MetaLearnersError(
                    .invalidArgument, at: "share",
                    "\(SpecValue.number(share).json()) of the rows is less than one of them: the slice is empty",
                    remedy: "raise the share")
            }
            return taken(room: room)
        case .budget(let budget):
            guard budget >= cheapest * (1 - 1e-9) else {
                throw MetaLearnersError(
                    .invalidArgument, at: "budget",
                    "\(SpecValue.number(budget).json()) is less than the cheapest unit costs, "
                        + SpecValue.number(cheapest).json(),
                    remedy: "raise the budget, or check the costs")
            }
            return taken(room: budget)
        }
    }

    /// Takes steps of positive slope as long as there is room for their costs. A unit whose step does not fit is left where
    /// it is; those after it may fit.
    func taken(room: Double) -> Taken {
        var taken = Taken(arms: [Int32](repeating: 0, count: weights.count))
        var isBlocked = [Bool](repeating: false, count: weights.count)
        let limit = room * (1 + 1e-12)
        // The slope where the room ends, once it does.
        var edge: Double?
        for step in steps {
            guard step.slope > 0 else { break }
            if isBlocked[Int(step.unit)] { continue }
            if taken.cost + step.cost <= limit {
                taken.take(step)
                if edge == nil { taken.bound += step.slope * step.cost }
            } else {
                isBlocked[Int(step.unit)] = true
                guard edge == nil else { continue }
                taken.bound += step.slope * max(room - taken.cost, 0)
                edge = taken.lastSlope.isNaN ? step.slope : taken.lastSlope
            }
        }
        if let edge, !taken.lastSlope.isNaN { taken.lastSlope = edge }
        return taken
    }

    /// For each unit the weighted mean of its rows' gains and costs, and its weight; of rows without weight the plain means.
    private static func means(
        _ effects: [[Double]], _ costs: [[Double]]?, _ weights: [Double]?, _ units: [Int32]?, _ count: Int
    ) -> (gains: [[Double]], costs: [[Double]]?, weights: [Double]) {
        guard let units else {
            return (effects, costs, weights ?? [Double](repeating: 1, count: count))
        }
        var totals = [Double](repeating: 0, count: count)
        var counts = totals
        for (row, unit) in units.enumerated() {
            totals[Int(unit)] += weights?[row] ?? 1
            counts[Int(unit)] += 1
        }
        func mean(_ column: [Double]) -> [Double] {
            var sums = [Double](repeating: 0, count: count)
            for (row, unit) in units.enumerated() {
                let weight = totals[Int(unit)] > 0 ? weights?[row] ?? 1 : 1
                sums[Int(unit)] += weight * column[row]
            }
            return sums.indices.map { unit in
                sums[unit] / (totals[unit] > 0 ? totals[unit] : max(counts[unit], 1))
            }
        }
        return (effects.map(mean), costs.map { $0.map(mean) }, totals)
    }
}

extension AllocationSteps.Taken {
    mutating func take(_ step: AllocationSteps.Step) {
        arms[Int(step.unit)] = step.arm
        lastSlope = step.slope
        cost += step.cost
    }
}
