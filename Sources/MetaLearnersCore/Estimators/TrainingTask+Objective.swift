extension TrainingTask {
    /// What the estimator has to predict.
    public enum Objective: Sendable {
        /// E[target | X], by squared error.
        case regression
        /// P(target = c | X) for each of so many classes; targets are 0, 1, ….
        case classification(classes: Int)
        /// The function τ(X) that minimises Σ weight·(target − regressor·τ(X))², the R-learner's loss
        /// (Nie & Wager 2021, arXiv 1712.04912). The regressor is as long as the target.
        case residual(regressor: [Double])
        /// The function τ(X) that with a function μ(X), learnt beside it and then forgotten, minimises
        /// Σ weight·(target − μ(X) − regressor·τ(X))²: a varying-coefficient model (Hastie & Tibshirani 1993, JRSS B 55, 757–796). With the
        /// treatment as regressor τ is its effect, which is penalised apart from the level, as in Bayesian causal forests (Hahn, Murray &
        /// Carvalho 2020, Bayesian Analysis 15, 965–1056). The regressor is as long as the target.
        case coefficient(regressor: [Double])
        /// The functions τ_k(X) that together minimise Σ weight·(target − Σ_k regressors[k]·τ_k(X))²: the R-learner's
        /// loss of several arms at once. Each regressor is as long as the target; predictions have an output for each.
        case multiResidual(regressors: [[Double]])
        /// E[target | X] and E[t | X] for each t of `others`, by squared error added up over them. Each is as long as
        /// the target; predictions have an output for the target, then one for each of the others.
        case multiRegression(others: [[Double]])
        /// E[target | X] of counts, by the Poisson deviance with a logarithmic link; targets are not negative, and
        /// neither are predictions.
        case count
        /// The quantile q of the target given X, 0 < q < 1, by the pinball loss
        /// Σ weight·max(q·(target − f), (q − 1)·(target − f)).
        case quantile(level: Double)

        /// The capability that a backend needs for it; more than two classes need another one than two.
        public var capability: Capabilities {
            switch self {
            case .regression: .regression
            case .classification(let classes): classes > 2 ? .multiclass : .binary
            case .residual: .residualLoss
            case .coefficient: .coefficients
            case .multiResidual, .multiRegression: .multiOutput
            case .count: .counts
            case .quantile: .quantiles
            }
        }

        /// How many numbers a prediction for one row has.
        public var outputCount: Int {
            switch self {
            case .classification(let classes): classes
            case .multiResidual(let regressors): regressors.count
            case .multiRegression(let others): others.count + 1
            case .regression, .residual, .coefficient, .count, .quantile: 1
            }
        }

        /// Checks the objective against the rows that it is about.
        ///
        /// - Throws: `invalidArgument` for arrays of the wrong length, no outputs, fewer than two classes or a level
        ///   outside 0 to 1; `invalidData` for targets that it cannot have.
        func check(_ target: RowNumbers, rows: [Int32], _ places: RowPlaces) throws(MetaLearnersError) {
            func requireFinite(_ values: [Double], _ name: String) throws(MetaLearnersError) {
                guard values.count == target.count else {
                    throw MetaLearnersError(
                        .invalidArgument, at: name, "has \(values.count) values for \(target.count) rows")
                }
                for row in rows where !values[Int(row)].isFinite {
                    throw MetaLearnersError(
                        .invalidData, at: name, "\(places.name(Int(row))) has \(values[Int(row)])")
                }
            }
            switch self {
            case .regression: break
            case .classification(let classes):
                guard classes >= 2 else {
                    throw MetaLearnersError(.invalidArgument, at: "classes", "must be at least 2")
                }
                for row in rows {
                    let label = target[Int(row)]
                    guard label >= 0, label < Double(classes), label == label.rounded() else {
                        throw MetaLearnersError(
                            .invalidData, at: "target",
                            "\(places.name(Int(row))) has \(label), of \(classes) classes")
                    }
                }
            case .residual(let regressor), .coefficient(let regressor):
                try requireFinite(regressor, "regressor")
            case .multiResidual(let regressors):
                guard !regressors.isEmpty else {
                    throw MetaLearnersError(.invalidArgument, at: "regressors", "must be at least one")
                }
                for regressor in regressors { try requireFinite(regressor, "regressor") }
            case .multiRegression(let others):
                for other in others { try requireFinite(other, "target") }
            case .count:
                for row in rows where target[Int(row)] < 0 {
                    throw MetaLearnersError(
                        .invalidData, at: "target",
                        "\(places.name(Int(row))) has \(target[Int(row)]), which is no count",
                        remedy: "counts must not be negative")
                }
            case .quantile(let level):
                guard level > 0, level < 1 else {
                    throw MetaLearnersError(
                        .invalidArgument, at: "quantile", "is \(level), must be: number, 0 < x < 1")
                }
            }
        }
    }

    /// The error of a backend that cannot minimise the task's loss.
    ///
    /// - Parameters:
    ///   - backend: which one it is.
    ///   - remedy: what to do instead.
    public func unsupportedObjective(by backend: BackendDescription, remedy: String? = "use trees")
        -> MetaLearnersError
    {
        MetaLearnersError(
            .unsupported, at: backend.name,
            "the backend '\(backend.name)' cannot do \(objective.capability.names.joined(separator: ", "))",
            remedy: remedy)
    }
}
