import MetaLearnersCore
import MetaLearnersKit
import Testing
import _TestSupport

@testable import MetaLearners

/// What the unit and the origin of the numbers, and the order of rows and columns, must not change: for every learner
/// with every kind of base model.
@Suite("Units, origins and orders")
struct EquivarianceTests {
    /// A learner with the backend of its outcome and effect models.
    struct Fit: Sendable, CustomTestStringConvertible {
        let learner: LearnerKind
        let backend: String
        var testDescription: String { "\(learner.rawValue), \(backend)" }

        /// Whether models choose between columns, rows or thresholds, which a rounding error may turn.
        var isTree: Bool { ["trees", "forest", "bart", "xgboost"].contains(backend) || learner == .auto }

        /// How far effects may differ where numbers are rounded otherwise: XGBoost computes in single precision.
        func tolerance(_ double: Double) -> Double { backend == "xgboost" ? max(double, 1e-4) : double }

        var models: SpecValue {
            let model: SpecValue =
                switch backend {
                case "trees": ["backend": "trees", "trees": 10, "max_leaves": 4]
                case "forest": ["backend": "forest", "trees": 8]
                case "bart": ["backend": "bart", "trees": 4, "effect_trees": 3, "sweeps": 4, "burn_in": 1]
                case "xgboost": ["backend": "xgboost", "trees": 8, "max_depth": 2]
                default: .string(backend)
                }
            return ["outcome": model, "propensity": "logistic", "effect": model]
        }

        func effects(_ data: CausalDataset) throws -> [Double] {
            try Linear.fit(data, learner, folds: 2, models: models).trainingEffects[0]
        }
    }

    static let fits: [Fit] = {
        var backends = ["constant", "ols", "ridge", "lasso", "elastic_net", "trees", "forest", "bart"]
        let xgboost = Registry.default.estimators.descriptions.first { $0.name == "xgboost" }
        if xgboost?.location != "not found" { backends.append("xgboost") }
        return LearnerKind.single.flatMap { learner in backends.map { Fit(learner: learner, backend: $0) } }
            + ["ridge", "trees"].map { Fit(learner: .ensemble, backend: $0) }
            + [Fit(learner: .auto, backend: "auto")]
    }()

    private static let rows = 160

    /// Numbers with few digits, so that sums with powers of two are exact, and a category.
    private static func data(
        outcomeFactor: Double = 1, outcomeShift: Double = 0, covariateFactor: Double = 1,
        columns order: [Int] = [0, 1, 2, 3], weights: [Double]? = nil
    ) throws -> CausalDataset {
        let base = try SyntheticDataset.linear(rows: rows, seed: 31)
        func coarse(_ value: Double) -> Double { (value * 1024).rounded() / 1024 }
        let kinds = (0..<rows).map { ["a", "b", "c"][($0 * 7 + $0 / 5) % 3] }
        let numbers = base.covariates.columns.prefix(3).map { column in
            Column(column.name, column.values.doubles().map { coarse($0) * covariateFactor })
        }
        let columns = numbers + [Column("kind", categories: kinds)]
        return try CausalDataset(
            covariates: Table(order.map { columns[$0] }), treatment: base.treatment,
            outcome: Outcome(
                base.outcome.map { coarse($0) * outcomeFactor + outcomeShift }, kind: .continuous),
            weights: weights)
    }

    @Test(
        "an outcome in units of a power of two gives the effects in these units, to the bit", arguments: fits)
    func binaryUnits(fit: Fit) throws {
        let plain = try fit.effects(Self.data())
        for factor in [0x1p30, 0x1p-30] {
            #expect(try fit.effects(Self.data(outcomeFactor: factor)) == plain.map { $0 * factor })
        }
    }

    @Test("an outcome in any other unit gives the effects in that unit", arguments: fits)
    func decimalUnits(fit: Fit) throws {
        let plain = try fit.effects(Self.data())
        for factor in [1e9, 1e4, 1e-9] {
            let scaled = try fit.effects(Self.data(outcomeFactor: factor)).map { $0 / factor }
            #expect(Approximate.largestDifference(scaled, plain) < fit.tolerance(1e-6))
        }
    }

    @Test("a constant added to the outcome changes no effect", arguments: fits)
    func shifts(fit: Fit) throws {
        let plain = try fit.effects(Self.data())
        for shift in [-1000, 0x1p20, 0x1p30] {
            let shifted = try fit.effects(Self.data(outcomeShift: shift))
            #expect(Approximate.largestDifference(shifted, plain) < fit.tolerance(1e-5))
        }
    }

    @Test("units of the covariates change no effect", arguments: fits)
    func covariateUnits(fit: Fit) throws {
        let plain = try fit.effects(Self.data())
        for factor in [0x1p40, 1e9, 1e-9] {
            let scaled = try fit.effects(Self.data(covariateFactor: factor))
            #expect(Approximate.largestDifference(scaled, plain) < fit.tolerance(1e-6))
        }
    }

    @Test("a factor of all weights changes no effect, to the bit", arguments: fits)
    func weightUnits(fit: Fit) throws {
        let weights = (0..<Self.rows).map { 0.5 + Double($0 % 7) / 4 }
        let plain = try fit.effects(Self.data(weights: weights))
        for factor in [1e-9, 3, 1e200] {
            #expect(try fit.effects(Self.data(weights: weights.map { $0 * factor })) == plain)
        }
    }

    @Test("the order of the rows permutes the effects", arguments: fits)
    func rowOrder(fit: Fit) throws {
        // Forests draw rows by their places, as `auto` does for its trees.
        guard fit.backend != "forest", fit.learner != .auto else { return }
        // Folds and the cross-validation of a penalty draw rows by their places too.
        guard fit.backend != "lasso", fit.backend != "elastic_net" else { return }
        let data = try Self.data()
        var stream = RandomStream(seed: 3)
        var order = (0..<Int32(Self.rows)).map { $0 }
        stream.shuffle(&order)
        let folds = (0..<Int32(Self.rows)).map { $0 % 2 }
        func effects(_ data: CausalDataset, _ folds: [Int32]) throws -> [Double] {
            try Linear.fit(
                data, fit.learner, folds: 2, models: fit.models,
                injecting: FoldAssignment(folds, count: 2)
            ).trainingEffects[0]
        }
        let plain = try effects(data, folds)
        let permuted = try effects(data.taking(order), order.map { folds[Int($0)] })
        #expect(Approximate.largestDifference(permuted, order.map { plain[Int($0)] }) < fit.tolerance(1e-6))
    }

    @Test("the order of the covariates changes nothing where columns are not drawn", arguments: fits)
    func columnOrder(fit: Fit) throws {
        // Forests and the trees of `auto` draw columns by their places; equal gains go to the first column.
        guard !fit.isTree else { return }
        let plain = try fit.effects(Self.data())
        let other = try fit.effects(Self.data(columns: [2, 3, 0, 1]))
        #expect(Approximate.largestDifference(other, plain) < 1e-7)
    }
}
