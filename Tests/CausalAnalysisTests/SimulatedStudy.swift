import CausalAnalysis
import MetaLearnersCore
import _TestSupport

/// Studies of simulated trials with the true nuisances, whose effects are the true ones with an error that no outcome has a say in.
enum SimulatedStudy {
    /// The data, and the columns of the study.
    static func columns(rows: Int, error: Double = 0.5, clusters: Bool = false, seed: UInt64) throws -> (
        data: SyntheticDataset, given: GivenColumns
    ) {
        let data =
            clusters
            ? try SyntheticDataset.clustered(clusters: rows / 4, rowsPerCluster: 4, seed: seed)
            : try SyntheticDataset.linear(rows: rows, share: 0.4, seed: seed)
        var stream = RandomStream(seed: seed, path: 77)
        let effects = data.effects.map { $0.map { $0 + error * stream.normal() } }
        return (
            data,
            GivenColumns(effects: effects, propensities: data.propensities, armMeans: data.armOutcomes)
        )
    }

    static func study(rows: Int, error: Double = 0.5, clusters: Bool = false, seed: UInt64) throws
        -> CausalStudy
    {
        let (data, given) = try columns(rows: rows, error: error, clusters: clusters, seed: seed)
        return try CausalStudy(data.dataset, given: given)
    }
}
