namespace Orders.Architecture.Tests.Containers;

/// <summary>What docs/security.md says of the containers: who is on which network, and what is published.</summary>
internal static class ExpectedContainers
{
    /// <summary>The services of images that are not built here. They start as root and become another user.</summary>
    public static readonly string[] Servers = ["postgres", "rabbitmq"];

    /// <summary>What a server's image needs to own its data directory and to become another user.</summary>
    public static readonly string[] ServerCapabilities = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"];

    /// <summary>The networks of each service.</summary>
    public static readonly Dictionary<string, string[]> Networks = new()
    {
        ["api"] = ["data", "public"],
        ["dashboard"] = ["application", "data", "public"],
        ["email"] = ["application", "data"],
        ["inventory"] = ["data"],
        ["invoice"] = ["data"],
        ["migrate"] = ["data"],
        ["outside-world"] = ["application"],
        ["postgres"] = ["data"],
        ["rabbitmq"] = ["data", "management"],
        ["warehouse"] = ["application", "data"],
        ["webhook"] = ["application", "data"],
    };

    /// <summary>The published ports: the service, its port, the variable that changes the port on this machine, and the
    /// default.</summary>
    public static readonly (string Service, int Target, string Variable, int Default)[] Ports =
    [
        ("api", 8080, "API_PORT", 8080),
        ("dashboard", 8080, "DASHBOARD_PORT", 8081),
        ("outside-world", 8025, "OUTSIDE_WORLD_PORT", 8025),
        ("rabbitmq", 15672, "RABBITMQ_MANAGEMENT_PORT", 15672),
    ];
}
