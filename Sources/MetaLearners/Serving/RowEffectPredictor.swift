import MetaLearnersCore

/// A fitted model prepared to predict the effects of one row at a time: no memory is allocated, no thread started.
///
/// Only models that allow it can be prepared: a T-learner, or a learner whose effects are those of effect models,
/// with base learners that predict single rows from numbers. What it predicts is, to the bit, what
/// `CATEModel.predict` does.
public struct RowEffectPredictor: Sendable {
    /// A mean of models' outputs.
    private struct Mean: Sendable {
        let models: [any RowPredictor]
        /// Which of a model's outputs, 1 for the probability of a binary outcome.
        let output: Int

        func callAsFunction(_ row: UnsafePointer<Double>, _ outputs: UnsafeMutablePointer<Double>) -> Double {
            var sum = 0.0
            for model in models {
                model.predict(row, to: outputs)
                sum += outputs[output]
            }
            return models.count == 1 ? outputs[output] : sum / Double(models.count)
        }
    }

    /// The names of the columns whose numbers make a row, in order.
    public let columnNames: [String]
    /// How many effects a prediction has: one for each arm but the control.
    public var effectCount: Int { arms.count }

    private let arms: [Mean]
    /// What is taken from what the arms' models say: the control's outcome.
    private let control: Mean?

    /// Prepares `model`; nil where it cannot be.
    public init?(_ model: CATEModel) {
        guard let predictor = model.predictor as? LearnerPredictor,
            model.schema.fields.allSatisfy({ $0.kind == .numeric }),
            model.spec.models.everyModel.allSatisfy({ $0.model.columns == .all }),
            model.spec.effectScale == .difference, model.spec.data.missingValues.isEmpty,
            model.outcomeKind.effectCount == 1
        else { return nil }
        columnNames = model.schema.fields.map(\.name)
        let rule = model.spec.prediction
        var means: [Mean] = []
        switch type(of: predictor.learner).traits.form {
        case .comparison:
            for arm in model.armLabels.indices {
                guard let fitted = model.nuisanceModels.first(where: { $0.role == .armOutcome(arm) }),
                    let mean = Self.mean(fitted, rule, output: model.outcomeKind.isBinary ? 1 : 0)
                else { return nil }
                means.append(mean)
            }
            control = means.removeFirst()
        case .regression:
            for arm in model.armLabels.indices.dropFirst() {
                let role = EffectRole(arm: arm)
                guard let fitted = predictor.effectModels.first(where: { $0.role == role }),
                    let mean = Self.mean(fitted, rule, output: 0)
                else { return nil }
                means.append(mean)
            }
            control = nil
        case .combination: return nil
        }
        arms = means
        guard agrees(with: model) else { return nil }
    }

    private static func mean<Role>(
        _ fitted: FittedRole<Role>, _ rule: MetaLearnerSpec.Prediction, output: Int
    ) -> Mean? {
        let models = fitted.models.fullModel.map { [$0] } ?? fitted.models.foldModels
        guard models.count == 1 || rule != .median else { return nil }
        var prepared: [any RowPredictor] = []
        for model in models {
            guard let row = (model as? any RowPredictable)?.makeRowPredictor(), row.outputCount <= 2,
                output < row.outputCount
            else { return nil }
            prepared.append(row)
        }
        return prepared.isEmpty ? nil : Mean(models: prepared, output: output)
    }

    /// Whether the model itself says the same of a few rows, to the bit: what a spec may ask for that this type does not
    /// know of is left to the model.
    private func agrees(with model: CATEModel) -> Bool {
        let probes: [Double] = [0, 1, -1.5, .nan]
        let columns = columnNames.map { Column($0, StridedValues(probes)) }
        guard let table = try? Table(columns, rowCount: probes.count),
            let expected = try? model.predict(table, ExecutionOptions(threads: 1)).effects,
            expected.count == effectCount
        else { return false }
        var effects = [Double](repeating: 0, count: effectCount)
        for (index, probe) in probes.enumerated() {
            predict([Double](repeating: probe, count: columnNames.count), to: &effects)
            for (arm, effect) in effects.enumerated()
            where effect.bitPattern != expected[arm][index].bitPattern {
                return false
            }
        }
        return true
    }

    /// Predicts the effects of a row.
    ///
    /// - Parameters:
    ///   - row: a number for each of `columnNames`; NaN where one is missing.
    ///   - effects: room for `effectCount` numbers.
    public func predict(_ row: UnsafePointer<Double>, to effects: UnsafeMutablePointer<Double>) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 2) { outputs in
            guard let outputs = outputs.baseAddress else { return }
            let base = control?(row, outputs)
            for (place, arm) in arms.enumerated() {
                let value = arm(row, outputs)
                effects[place] = base.map { value - $0 } ?? value
            }
        }
    }
}
