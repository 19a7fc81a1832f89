import MetaLearners
import MetaLearnersCore
import MetaLearnersKit
import PluginEstimators
import Testing
import _TestSupport

@Suite("Parameters that backends have in common")
struct CommonParameterTests {
    private let registry: EstimatorRegistry
    private let features: Table
    private let labels: [Double]
    private let target: [Double]
    private let weights: [Double]

    init() throws {
        registry = try EstimatorRegistry.default.loadingPlugin(at: BuiltPlugin.neighbours())
            .loadingPlugin(at: BuiltPlugin.lightGBM()).loadingPlugin(at: BuiltPlugin.hostile("GOOD"))
        var stream = RandomStream(seed: 5)
        let columns = (0..<4).map { _ in (0..<300).map { _ in stream.uniform() } }
        features = try Table(columns.enumerated().map { Column("x\($0)", $1) })
        target = (0..<300).map { columns[0][$0] + columns[1][$0] * columns[2][$0] + 0.1 * stream.uniform() }
        labels = target.map { $0 > 0.8 ? 1 : 0 }
        weights = (0..<300).map { 1 + Double($0 % 3) }
    }

    /// Another value than any backend's default.
    private func value(_ parameter: CommonParameter) -> SpecValue {
        switch parameter {
        case .trees: 7
        case .learningRate: 0.31
        case .maxDepth: 2
        case .maxLeaves: 3
        case .minLeafSize: 35
        case .l2: 3.5
        case .rowSample: 0.43
        case .columnSample: 0.26
        case .earlyStopping: 1
        }
    }

    /// What makes a parameter count where it does not on its own.
    private func context(_ parameter: CommonParameter, _ known: [ParameterDescription]) -> [(
        String, SpecValue
    )] {
        var entries: [(String, SpecValue)] = []
        if parameter != .trees, known.contains(where: { $0.name == "trees" }) {
            entries.append(("trees", 20))
        }
        return entries
    }

    private func fit(_ backend: BackendDescription, _ entries: [(String, SpecValue)]) throws
        -> any FittedEstimator
    {
        let estimator = try registry.makeEstimator(
            EstimatorChoice(backend.name, SpecObject(entries)), at: SpecPath.root.appending("outcome"))
        let isRegression = backend.capabilities.contains(.regression)
        let task = try TrainingTask(
            features: features, rows: Array(0..<300), target: isRegression ? target : labels,
            weights: backend.capabilities.contains(.weights) ? weights : nil,
            objective: isRegression ? .regression : .classification(classes: 2), seed: 3)
        return try estimator.fit(task, ExecutionContext())
    }

    @Test("each is followed, followed approximately with a warning, or refused, as the table says")
    func mappings() throws {
        var kinds: [String: Int] = [:]
        for backend in registry.descriptions {
            let isMissing = (try? registry.makeEstimator(EstimatorChoice(backend.name), at: .root)) == nil
            guard !isMissing else { continue }
            let known = try registry.parameters(of: backend.name)
            for parameter in CommonParameter.allCases {
                let mapping = parameter.mapping(among: known)
                kinds[mapping.kind, default: 0] += 1
                let entry = (parameter.rawValue, value(parameter))
                let name = "\(backend.name).\(parameter.rawValue)"
                switch mapping {
                case .unsupported:
                    #expect {
                        try fit(backend, [entry])
                    } throws: { error in
                        let error = error as? MetaLearnersError
                        return error?.kind == .unsupported
                            && error?.location == "outcome.\(parameter.rawValue)"
                    }
                case .exact:
                    let context = context(parameter, known)
                    let model = try fit(backend, context + [entry])
                    #expect(!model.warnings.contains { $0.contains("approximat") }, "\(name)")
                    let rows = try model.predict(features, rows: nil, ExecutionContext())
                    let other = try fit(backend, context).predict(features, rows: nil, ExecutionContext())
                    #expect(rows != other, "\(name) changes nothing")
                case .approximate:
                    let model = try fit(backend, context(parameter, known) + [entry])
                    #expect(
                        model.warnings.contains {
                            $0.contains(parameter.rawValue) && $0.contains("approximat")
                        },
                        "\(name): \(model.warnings)")
                    let plain = try fit(backend, context(parameter, known))
                    #expect(!plain.warnings.contains { $0.contains("approximat") }, "\(name)")
                }
            }
        }
        #expect(Set(kinds.keys) == ["exact", "approximate", "unsupported"])
    }
}
