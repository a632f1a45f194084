using System.Data.Common;

namespace Orders.AppHost;

/// <summary>
/// Where each service is on this machine. Between containers a service has its name and a fixed port; here it is
/// on loopback, at a port that the orchestrator has chosen.
/// </summary>
internal sealed class Addresses
{
    private readonly Dictionary<string, Dictionary<int, EndpointReference>> _endpoints = [];

    /// <summary>Adds a port of a service.</summary>
    /// <param name="service">The service.</param>
    /// <param name="port">The port that it has in its container.</param>
    /// <param name="endpoint">Where that is here.</param>
    public void Add(string service, int port, EndpointReference endpoint)
    {
        if (!_endpoints.TryGetValue(service, out var ports))
            _endpoints[service] = ports = [];
        ports.Add(port, endpoint);
    }

    /// <summary>An environment with the addresses that hold here in place of those between containers.</summary>
    /// <param name="variables">The environment of the container.</param>
    /// <exception cref="ComposeException">A service is named at a port that it does not have.</exception>
    public IReadOnlyDictionary<string, object> Here(IReadOnlyDictionary<string, string> variables)
    {
        var here = variables.ToDictionary(v => v.Key, v => Here(v.Key, v.Value));
        foreach (var (name, value) in variables.Where(v => IsHost(v.Key) && _endpoints.ContainsKey(v.Value)))
        {
            // X__Host has its port in X__Port, or the one that every client takes: the first of the service.
            var port = $"{name[..name.LastIndexOf('_')]}_Port";
            var number = variables.TryGetValue(port, out var text)
                ? Number(text, port)
                : _endpoints[value].Keys.First();
            here[port] = Find(value, number, name).Property(EndpointProperty.Port);
        }

        return here;
    }

    private object Here(string name, string value)
    {
        // A step has the name of its service, so that not every such value is an address.
        if ((IsHost(name) || name == "Email__ReceiptsOf") && _endpoints.TryGetValue(value, out var ports))
            return ports.Values.First().Property(EndpointProperty.Host);
        if (name.StartsWith("ConnectionStrings__", StringComparison.Ordinal))
            return Connection(name, value);
        return
            Uri.TryCreate(value, UriKind.Absolute, out var uri)
            && uri is { IsDefaultPort: false, Scheme: "http" }
            && _endpoints.ContainsKey(uri.Host)
            ? Url(uri, Find(uri.Host, uri.Port, name))
            : value;
    }

    private static bool IsHost(string name) => name.EndsWith("__Host", StringComparison.Ordinal);

    private object Connection(string name, string value)
    {
        var connection = new DbConnectionStringBuilder { ConnectionString = value };
        if (!connection.TryGetValue("Host", out var host) || !_endpoints.TryGetValue((string)host, out var ports))
            return value;
        var port = connection.TryGetValue("Port", out var text) ? Number((string)text, name) : ports.Keys.First();
        var endpoint = Find((string)host, port, name);
        connection.Remove("Host");
        connection.Remove("Port");
        return ReferenceExpression.Create(
            $"Host={endpoint.Property(EndpointProperty.Host)};Port={endpoint.Property(EndpointProperty.Port)};{connection.ConnectionString}"
        );
    }

    private static ReferenceExpression Url(Uri uri, EndpointReference endpoint) =>
        ReferenceExpression.Create(
            $"http://{endpoint.Property(EndpointProperty.Host)}:{endpoint.Property(EndpointProperty.Port)}{uri.PathAndQuery}"
        );

    private EndpointReference Find(string service, int port, string variable) =>
        _endpoints[service].TryGetValue(port, out var endpoint)
            ? endpoint
            : throw new ComposeException(
                $"{variable} names port {port} of '{service}', which has {string.Join(", ", _endpoints[service].Keys)}. Add the port to deploy/AppHost/Installation.cs."
            );

    private static int Number(string text, string variable) =>
        int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var port)
            ? port
            : throw new ComposeException($"Expected a port in {variable}, found '{text}'.");
}
