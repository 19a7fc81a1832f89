import MetaLearnersCore

extension EstimatorRegistry {
    /// The registry with a plug-in's backend.
    ///
    /// - Throws: `invalidArgument` where there is a backend of that name already, from elsewhere. (The same plug-in
    ///   twice is once.)
    public func registering(_ plugin: Plugin) throws(MetaLearnersError) -> EstimatorRegistry {
        if let known = descriptions.first(where: { $0.name == plugin.name }),
            known == plugin.description, known.location != Plugin.callbackLocation
        {
            return self
        }
        return try registering(
            plugin.description, parameters: plugin.parameters,
            make: { value, place throws(MetaLearnersError) in
                try PluginEstimator(PluginSpec(plugin, value, at: place), at: place)
            },
            decode: { reader throws(MetaLearnersError) in try plugin.decode(from: &reader) })
    }

    /// The registry with the backend of the plug-in in a shared library.
    ///
    /// The library runs in this process with all its rights, from the moment that it is loaded: load what you would
    /// also run. It is never unloaded.
    ///
    /// - Throws: `inputOutput` where there is no such file; `unsupported` where it is no plug-in or one of another
    ///   version; `invalidArgument` where its table is faulty or its name is taken.
    public func loadingPlugin(at path: String) throws(MetaLearnersError) -> EstimatorRegistry {
        try registering(PluginLibrary.load(path))
    }

    /// The registry with the backends of several plug-ins.
    ///
    /// - Throws: what `loadingPlugin(at:)` throws, for the first that cannot be loaded.
    public func loadingPlugins(at paths: [String]) throws(MetaLearnersError) -> EstimatorRegistry {
        var registry = self
        for path in paths { registry = try registry.loadingPlugin(at: path) }
        return registry
    }

    /// The registry with the plug-ins that the environment variable `METALEARNERS_PLUGIN_PATH` names: files, and
    /// folders, whose shared libraries are all loaded; separated by colons.
    ///
    /// One that cannot be loaded keeps nobody from using the others: it is among `problems`.
    public func loadingPluginsOfEnvironment() -> EstimatorRegistry {
        loadingPlugins(onPath: PluginLibrary.environmentPath)
    }

    /// The registry with the plug-ins on a path as `METALEARNERS_PLUGIN_PATH` holds it.
    package func loadingPlugins(onPath path: String) -> EstimatorRegistry {
        let (files, problems) = PluginLibrary.files(onPath: path)
        var registry = problems.reduce(self) { $0.noting($1) }
        for file in files {
            do throws(MetaLearnersError) {
                registry = try registry.loadingPlugin(at: file)
            } catch {
                registry = registry.noting(error)
            }
        }
        return registry
    }
}

extension Plugin {
    /// The location of plug-ins that are no library.
    public static let callbackLocation = "callbacks"

    /// Reads a model that the plug-in fitted.
    ///
    /// - Throws: `corruptModel`, `incompatibleModel`, and what the plug-in says of its bytes.
    package func decode(from reader: inout BinaryReader) throws(MetaLearnersError) -> any FittedEstimator {
        try PluginModel(self, from: &reader).explained
    }
}
