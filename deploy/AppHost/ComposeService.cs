using System.Text.Json.Nodes;

namespace Orders.AppHost;

/// <summary>A service of docker-compose.yml, as <c>docker compose config</c> prints it.</summary>
/// <param name="name">Its name.</param>
/// <param name="service">Its members.</param>
internal sealed class ComposeService(string name, JsonNode service)
{
    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>Its image, with a tag if it has one.</summary>
    public string Image => Text(service["image"]);

    /// <summary>Its arguments; none when the image's own are used.</summary>
    public string[] Command => [.. Items("command").Select(Text)];

    /// <summary>The size of its shared memory in bytes; null for the engine's default.</summary>
    public string? SharedMemory => service["shm_size"]?.GetValue<string>();

    /// <summary>Its environment. A variable without a value is left out.</summary>
    public IReadOnlyDictionary<string, string> Environment =>
        Members("environment").Where(v => v.Value is not null).ToDictionary(v => v.Key, v => Text(v.Value));

    /// <summary>What it waits for: the name of a service, and whether that has to run to its end.</summary>
    public IEnumerable<(string Service, bool ToItsEnd)> Waits =>
        Members("depends_on").Select(d => (d.Key, Text(d.Value!["condition"]) == "service_completed_successfully"));

    /// <summary>Its ports that are published on this machine: by the port inside.</summary>
    public IReadOnlyDictionary<int, int> Published =>
        Items("ports")
            .ToDictionary(
                p => p!["target"]!.GetValue<int>(),
                p => int.Parse(Text(p!["published"]), System.Globalization.CultureInfo.InvariantCulture)
            );

    /// <summary>Files and folders of this machine that it sees: by the path inside.</summary>
    public IReadOnlyDictionary<string, string> Files => Volumes("bind").ToDictionary(v => v.Target, v => v.Source);

    /// <summary>Where it keeps data, as paths inside.</summary>
    public IEnumerable<string> DataFolders => Volumes("volume").Select(v => v.Target);

    private IEnumerable<(string Target, string Source)> Volumes(string type) =>
        Items("volumes").Where(v => Text(v!["type"]) == type).Select(v => (Text(v!["target"]), Text(v!["source"])));

    private JsonObject Members(string member) => service[member]?.AsObject() ?? [];

    private JsonArray Items(string member) => service[member]?.AsArray() ?? [];

    // What is printed is a compose file again, in which a dollar is written twice.
    private static string Text(JsonNode? value) =>
        value!.GetValue<string>().Replace("$$", "$", StringComparison.Ordinal);
}
