package network

func (s *Store) rulesUp(n *Network) error               { return nil }
func (s *Store) rulesDown(n *Network) error             { return nil }
func (s *Store) publish(n *Network, e Endpoint) error   { return nil }
func (s *Store) unpublish(n *Network, e Endpoint) error { return nil }
